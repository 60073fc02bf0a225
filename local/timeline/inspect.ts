/**
 * Rows per table at one LSN, for the preview of a restore: counted on a throw-away fork that is
 * removed afterwards, by a PostgreSQL that only this process can reach. Nothing is served from it.
 */
import pg from 'pg';
import type { PreparedTransaction } from '../../shared/restore/open-transactions.ts';
import type { PastPoint, WithThrowAway } from './throw-away.ts';

export interface TableCount {
  /** `schema.table` */
  readonly table: string;
  readonly rows: number;
}

export interface Inspection {
  readonly tables: readonly TableCount[];
  /** Transactions that were prepared then and not ended yet. */
  readonly prepared: readonly PreparedTransaction[];
}

export type Inspect = (point: PastPoint) => Promise<Inspection>;

const TABLES = `SELECT n.nspname AS schema, c.relname AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^(pg_|adorable_)' AND n.nspname <> 'information_schema' ORDER BY 1, 2`;

const PREPARED = 'SELECT gid, owner::text AS owner, prepared AS since FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared, gid LIMIT 20';
const LOCK_MS = 10_000;

export function createInspect(withThrowAway: WithThrowAway): Inspect {
  return async (point) => {
    let found: Inspection = { tables: [], prepared: [] };
    await withThrowAway(point, 'admin', async (socketFolder) => { found = await look(socketFolder); });
    return found;
  };
}

async function look(socketFolder: string): Promise<Inspection> {
  // A prepared transaction may hold a table against readers too, and nobody would ever end it here.
  const client = new pg.Client({ host: socketFolder, port: 5432, user: 'cloud_admin', database: 'app', lock_timeout: LOCK_MS });
  // Killed between two statements, it fails the next one; unheard, it would end the server of all projects.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const prepared = (await client.query<Omit<PreparedTransaction, 'since'> & { since: Date }>(PREPARED)).rows.map((row) => ({ ...row, since: row.since.toISOString() }));
    const tables = (await client.query<{ schema: string; name: string; quoted: string }>(TABLES)).rows;
    const counts: TableCount[] = [];
    for (const { schema, name, quoted } of tables) {
      const { rows } = await client.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${quoted}`);
      counts.push({ table: `${schema}.${name}`, rows: Number(rows[0]?.rows ?? 0) });
    }
    return { tables: counts, prepared };
  } finally {
    await client.end();
  }
}
