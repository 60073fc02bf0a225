/**
 * Rows per table at one LSN, for the preview of a restore: counted on a throw-away fork that is
 * removed afterwards, by a PostgreSQL that only this process can reach. Nothing is served from it.
 */
import pg from 'pg';
import type { PastPoint, WithThrowAway } from './throw-away.ts';

export interface TableCount {
  /** `schema.table` */
  readonly table: string;
  readonly rows: number;
}

export type Inspect = (point: PastPoint) => Promise<readonly TableCount[]>;

const TABLES = `SELECT n.nspname AS schema, c.relname AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS quoted
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname !~ '^(pg_|adorable_)' AND n.nspname <> 'information_schema' ORDER BY 1, 2`;

export function createInspect(withThrowAway: WithThrowAway): Inspect {
  return async (point) => {
    let counts: TableCount[] = [];
    await withThrowAway(point, 'admin', async (socketFolder) => { counts = await count(socketFolder); });
    return counts;
  };
}

async function count(socketFolder: string): Promise<TableCount[]> {
  const client = new pg.Client({ host: socketFolder, port: 5432, user: 'cloud_admin', database: 'app' });
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
