/**
 * Which timeline a project's compute serves, and to whom: pulled by the compute at start and
 * polled while it runs. A configuration under an older fence is refused (the fence of DESIGN §3.1).
 */
import { parseProjectId, parseTenantId, parseTimelineId, type ProjectId } from '../../shared/ids.ts';
import { badRequest, notFound, staleFence } from './answer.ts';
import type { Endpoint, StateStore } from './state.ts';

export function createEndpoints(store: StateStore) {
  return {
    read(project: ProjectId): Endpoint {
      const endpoint = store.readEndpoint(project);
      if (!endpoint) throw notFound(`Project ${project} has no endpoint.`);
      return endpoint;
    },

    configure(project: ProjectId, body: Readonly<Record<string, unknown>>): Endpoint {
      const { fence, logins } = body;
      if (typeof fence !== 'number' || !Number.isSafeInteger(fence)) throw badRequest('An endpoint needs an integer fence.');
      if (logins !== 'all' && logins !== 'admin') throw badRequest('logins is `all` or `admin`.');
      const tenant_id = parseTenantId(body['tenant_id']);
      const timeline_id = parseTimelineId(body['timeline_id']);
      const tenant = store.readTenant(tenant_id);
      if (tenant?.projectId !== project) throw notFound(`Project ${project} has no tenant ${tenant_id}.`);
      if (!store.readTimeline(tenant_id, timeline_id)) throw notFound(`Tenant ${tenant_id} has no timeline ${timeline_id}.`);
      const known = store.readEndpoint(project);
      if (known && fence < known.fence) throw staleFence(fence, known.fence);
      const wanted: Endpoint = { project_id: parseProjectId(project), tenant_id, timeline_id, fence, logins, ...(known?.observed ? { observed: known.observed } : {}) };
      if (JSON.stringify(known) !== JSON.stringify(wanted)) store.writeEndpoint(wanted);
      return wanted;
    },

    observe(project: ProjectId, body: Readonly<Record<string, unknown>>): void {
      const known = this.read(project);
      const { compute, logins } = body;
      if (typeof compute !== 'string' || (logins !== 'all' && logins !== 'admin')) throw badRequest('An observation names its compute and its logins.');
      store.writeEndpoint({ ...known, observed: { compute, timeline_id: parseTimelineId(body['timeline_id']), logins } });
    },
  };
}

export type Endpoints = ReturnType<typeof createEndpoints>;
