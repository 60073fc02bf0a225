/**
 * Rows per table at one LSN, for the preview of a restore: counted on a throw-away fork that is
 * removed afterwards, by a PostgreSQL that only this process can reach. Nothing is served from it.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { parseTimelineId } from '../../shared/ids.ts';
import type { ProjectId, TenantId, TimelineId } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import { notFound } from './answer.ts';
import { runUntilStopped } from './postgres-process.ts';
import type { StateStore } from './state.ts';
import type { Timelines } from './timelines.ts';

export interface TableCount {
  /** `schema.table` */
  readonly table: string;
  readonly rows: number;
}

export type Inspect = (tenantId: TenantId, timelineId: TimelineId, lsn: Lsn) => Promise<readonly TableCount[]>;

export interface InspectDeps {
  readonly store: StateStore;
  readonly timelines: Timelines;
  readonly binaries: string;
  readonly uidOf: (project: ProjectId) => Promise<number | undefined>;
}

const TABLES = `SELECT n.nspname AS schema, c.relname AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^(pg_|adorable_)' AND n.nspname <> 'information_schema' ORDER BY 1, 2`;

export function createInspect({ store, timelines, binaries, uidOf }: InspectDeps): Inspect {
  return async (tenantId, timelineId, lsn) => {
    const tenant = store.readTenant(tenantId);
    if (!tenant) throw notFound(`There is no tenant ${tenantId}.`);
    const throwAway = parseTimelineId(randomBytes(16).toString('hex'));
    await timelines.create(tenantId, throwAway, { ancestor: timelineId, lsn });
    try {
      let counts: TableCount[] = [];
      await runUntilStopped({
        binaries, uid: await uidOf(tenant.projectId), pgdata: join(store.folder(tenantId, throwAway), 'pgdata'), settings: {}, timeoutMs: 300_000,
        during: async (socketFolder) => { counts = await count(socketFolder); },
      });
      return counts;
    } finally {
      await timelines.delete(tenantId, throwAway);
    }
  };
}

async function count(socketFolder: string): Promise<TableCount[]> {
  const client = new pg.Client({ host: socketFolder, port: 5432, user: 'cloud_admin', database: 'app' });
  // Killed between two statements, it fails the next one; unheard, it would end the server of all projects.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const tables = (await client.query<{ schema: string; name: string; quoted: string }>(TABLES)).rows;
    const counts: TableCount[] = [];
    for (const { schema, name, quoted } of tables) {
      const { rows } = await client.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${quoted}`);
      counts.push({ table: `${schema}.${name}`, rows: Number(rows[0]?.rows ?? 0) });
    }
    return counts;
  } finally {
    await client.end();
  }
}
