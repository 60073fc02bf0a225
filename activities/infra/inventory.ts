/**
 * What a project made in Kubernetes: the intent before the create, the UID after, so that a crash
 * between the two leaves nothing unknown, and nothing else is ever deleted (I6).
 */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import type { Fenced } from '../../shared/moment.ts';
import type { PlatformDatabase } from '../records/platform-database.ts';
import type { LiveObject } from './cluster.ts';

export interface InventoryRow {
  readonly kind: string;
  readonly name: string;
  readonly uid: string | null;
  readonly state: 'intent' | 'live';
}

export interface Inventory {
  /** By `Kind/name`. */
  read(projectId: ProjectId): Promise<ReadonlyMap<string, InventoryRow>>;
  /** Refused when a newer operation holds the project. */
  intend(fenced: Fenced, objects: readonly KubeObject[]): Promise<void>;
  record(projectId: ProjectId, objects: readonly LiveObject[]): Promise<void>;
  forget(projectId: ProjectId, rows: readonly Pick<InventoryRow, 'kind' | 'name'>[]): Promise<void>;
  forgetAll(projectId: ProjectId): Promise<void>;
}

export function createInventory(database: Pick<PlatformDatabase, 'query'>): Inventory {
  return {
    async read(projectId) {
      const rows = await database.query<InventoryRow>('SELECT kind, name, uid, state FROM inventory WHERE project_id = $1', [projectId]);
      return new Map(rows.map((row) => [`${row.kind}/${row.name}`, row]));
    },

    async intend({ projectId, operationId, fence }, objects) {
      if (objects.length === 0) return;
      const written = await database.query(
        `INSERT INTO inventory (project_id, api_version, kind, namespace, name, operation_id, state)
         SELECT p.id, o.api_version, o.kind, o.namespace, o.name, $2, 'intent'
         FROM projects p, unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS o(api_version, kind, namespace, name)
         WHERE p.id = $1 AND p.fence = $3
         ON CONFLICT (project_id, kind, name) DO UPDATE SET state = 'intent', uid = NULL, operation_id = EXCLUDED.operation_id
         RETURNING 1`,
        [projectId, operationId, fence, objects.map((o) => o.apiVersion), objects.map((o) => o.kind), objects.map((o) => o.metadata.namespace ?? o.metadata.name), objects.map((o) => o.metadata.name)],
      );
      if (written.length === 0) throw new AdorableError('StaleFence', `A newer operation holds project ${projectId}: nothing was created.`);
    },

    async record(projectId, objects) {
      if (objects.length === 0) return;
      await database.query(
        `UPDATE inventory i SET uid = o.uid, state = 'live' FROM unnest($2::text[], $3::text[], $4::text[]) AS o(kind, name, uid)
         WHERE i.project_id = $1 AND i.kind = o.kind AND i.name = o.name`,
        [projectId, objects.map((o) => o.kind), objects.map((o) => o.metadata.name), objects.map((o) => o.metadata.uid)],
      );
    },

    async forget(projectId, rows) {
      if (rows.length === 0) return;
      await database.query(
        'DELETE FROM inventory i USING unnest($2::text[], $3::text[]) AS o(kind, name) WHERE i.project_id = $1 AND i.kind = o.kind AND i.name = o.name',
        [projectId, rows.map((row) => row.kind), rows.map((row) => row.name)],
      );
    },

    forgetAll: async (projectId) => { await database.query('DELETE FROM inventory WHERE project_id = $1', [projectId]); },
  };
}

