/**
 * Which timeline a project's compute serves, and to whom: pulled by the compute at start, and held
 * open while it runs until something changes, since a client waits for what logins change. A configuration under an older fence is refused (the fence of DESIGN §3.1).
 */
import { parseProjectId, parseTenantId, parseTimelineId, type ProjectId } from '../../shared/ids.ts';
import { badRequest, notFound, staleFence } from './answer.ts';
import type { Endpoint, StateStore } from './state.ts';

/** Below what callers wait for an answer. */
const HELD_MS = 10_000;

export function createEndpoints(store: StateStore, heldMs = HELD_MS) {
  const waiting = new Map<ProjectId, Set<() => void>>();

  async function changed(project: ProjectId): Promise<void> {
    const waiters = waiting.get(project) ?? new Set();
    waiting.set(project, waiters);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, heldMs);
      function done(): void {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      }
      waiters.add(done);
    });
  }

  return {
    read(project: ProjectId): Endpoint {
      const endpoint = store.readEndpoint(project);
      if (!endpoint) throw notFound(`Project ${project} has no endpoint.`);
      return endpoint;
    },

    /** At once when it is not what was seen, else as soon as it changes, or after a while as it is. */
    async next(project: ProjectId, body: Readonly<Record<string, unknown>>): Promise<Endpoint> {
      const known = store.readEndpoint(project);
      if (known === undefined || (known.timeline_id === body['timeline_id'] && known.logins === body['logins'])) await changed(project);
      return this.read(project);
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
      if (JSON.stringify(known) === JSON.stringify(wanted)) return wanted;
      store.writeEndpoint(wanted);
      for (const wake of waiting.get(project) ?? []) wake();
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
