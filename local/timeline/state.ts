/**
 * What the timeline server keeps on disk, and where. The directory is root's, so that a compute
 * can change its own files but not what is recorded of it.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ProjectId, TenantId, TimelineId } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import { readJson, writeJson } from './json-file.ts';

export interface TenantState {
  readonly tenantId: TenantId;
  readonly projectId: ProjectId;
  /** The next unused PostgreSQL timeline number; only grows, so that no two forks share one. */
  readonly nextPgTimelineId: number;
}

export interface Base {
  readonly folder: string;
  /** The copy is consistent from here on. */
  readonly lsn: Lsn;
}

export interface Attachment extends ProcessIdentity {
  readonly compute: string;
  readonly fence: number;
}

export interface TimelineState {
  readonly tenantId: TenantId;
  readonly timelineId: TimelineId;
  readonly ancestor?: { readonly timelineId: TimelineId; readonly lsn: Lsn };
  readonly pgTimelineId: number;
  readonly createdAt: string;
  readonly bases: readonly Base[];
  /** Where a fork begins whose first base is its source's, and so lies before it. */
  readonly beginsAt?: Lsn;
  readonly pins: Readonly<Record<string, Lsn>>;
  readonly sealed?: { readonly lsn: Lsn };
  readonly attached?: Attachment;
}

export interface Endpoint {
  readonly project_id: ProjectId;
  readonly tenant_id: TenantId;
  readonly timeline_id: TimelineId;
  readonly fence: number;
  readonly logins: 'all' | 'admin';
  /** What the running compute last reported to have put into effect. */
  readonly observed?: { readonly compute: string; readonly timeline_id: TimelineId; readonly logins: 'all' | 'admin' };
}

export const MAKING = '.making';
export const DELETED = '.deleted';

export function createStateStore(root: string) {
  mkdirSync(join(root, 'endpoints'), { recursive: true, mode: 0o711 });
  const tenantFolder = (tenant: TenantId) => join(root, tenant);
  const folder = (tenant: TenantId, timeline: TimelineId) => join(root, tenant, timeline);
  return {
    root,
    tenantFolder,
    folder,
    makingFolder: (tenant: TenantId, timeline: TimelineId) => `${folder(tenant, timeline)}${MAKING}`,
    tenants: () => readdirSync(root).filter((name) => /^[0-9a-f]{32}$/.test(name)) as TenantId[],
    timelines: (tenant: TenantId) =>
      (existsSync(tenantFolder(tenant)) ? readdirSync(tenantFolder(tenant)).filter((name) => /^[0-9a-f]{32}$/.test(name)) : []) as TimelineId[],
    readTenant: (tenant: TenantId) => readJson<TenantState>(join(tenantFolder(tenant), 'tenant.json')),
    writeTenant(state: TenantState) {
      mkdirSync(tenantFolder(state.tenantId), { recursive: true, mode: 0o711 });
      writeJson(join(tenantFolder(state.tenantId), 'tenant.json'), state);
    },
    readTimeline: (tenant: TenantId, timeline: TimelineId) => readJson<TimelineState>(join(folder(tenant, timeline), 'timeline.json')),
    writeTimeline(state: TimelineState, where = folder(state.tenantId, state.timelineId)) {
      writeJson(join(where, 'timeline.json'), state);
    },
    readEndpoint: (project: ProjectId) => readJson<Endpoint>(join(root, 'endpoints', `${project}.json`)),
    writeEndpoint(endpoint: Endpoint) {
      writeJson(join(root, 'endpoints', `${endpoint.project_id}.json`), endpoint);
    },
    endpointFile: (project: ProjectId) => join(root, 'endpoints', `${project}.json`),
  };
}

export type StateStore = ReturnType<typeof createStateStore>;
