/**
 * What a branch holds, as digests and counts for receipts (I1): equal for equal moments, whatever
 * the order of rows on disk. Sequences and unlogged tables are left out: recovery moves the one
 * and empties the other.
 */
import { createHash } from 'node:crypto';
import { ident, type Sql } from './adapters/postgres.ts';

export interface TableRows {
  /** `schema.table` */
  readonly table: string;
  readonly rows: number;
}

const USER_SCHEMAS = `n.nspname !~ '^(pg_|adorable_)' AND n.nspname NOT IN ('information_schema')`;

export async function countRowsByTable(sql: Sql): Promise<TableRows[]> {
  const counts: TableRows[] = [];
  for (const { schema, name } of await userTables(sql)) {
    const [row] = await sql.query<{ rows: string }>(`SELECT count(*) AS rows FROM ${ident(schema)}.${ident(name)}`);
    counts.push({ table: `${schema}.${name}`, rows: Number(row?.rows ?? 0) });
  }
  return counts;
}

export async function dataDigest(sql: Sql): Promise<string> {
  const digest = createHash('sha256');
  await sql.transaction(async () => {
    await sql.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await sql.query(`SET LOCAL DateStyle = 'ISO'; SET LOCAL TimeZone = 'UTC'; SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'; SET LOCAL IntervalStyle = 'postgres'`);
    for (const { schema, name } of await userTables(sql)) {
      // Sums of row hashes need neither a sort nor memory, and count duplicates.
      const [row] = await sql.query<{ part: string }>(
        `SELECT concat_ws(':', count(*), sum(('x' || substr(h, 1, 15))::bit(60)::bigint::numeric), sum(('x' || substr(h, 16, 15))::bit(60)::bigint::numeric)) AS part
         FROM (SELECT md5(t::text) AS h FROM ${ident(schema)}.${ident(name)} t) hashed`,
      );
      digest.update(JSON.stringify([schema, name, row?.part]));
    }
  });
  return digest.digest('hex');
}

/** Tables, columns, constraints, indexes, views, functions and triggers of user schemas, by definition. */
export async function schemaFingerprint(sql: Sql): Promise<string> {
  const digest = createHash('sha256');
  for (const query of DEFINITIONS) digest.update(JSON.stringify(await sql.query(query)));
  return digest.digest('hex');
}

const DEFINITIONS = [
  `SELECT n.nspname, c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull, pg_get_expr(d.adbin, d.adrelid) AS fallback
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
   LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
   WHERE ${USER_SCHEMAS} AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 1, 2, 4`,
  `SELECT n.nspname, r.relname, k.conname, pg_get_constraintdef(k.oid) AS definition FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid
   JOIN pg_namespace n ON n.oid = r.relnamespace WHERE ${USER_SCHEMAS} ORDER BY 1, 2, 3`,
  `SELECT n.nspname, c.relname, pg_get_indexdef(c.oid) AS definition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${USER_SCHEMAS} AND c.relkind IN ('i', 'I') ORDER BY 1, 2`,
  `SELECT n.nspname, c.relname, pg_get_viewdef(c.oid) AS definition FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE ${USER_SCHEMAS} AND c.relkind IN ('v', 'm') ORDER BY 1, 2`,
  `SELECT n.nspname, p.proname, pg_get_functiondef(p.oid) AS definition FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE ${USER_SCHEMAS} AND p.prokind IN ('f', 'p') ORDER BY 1, 2, 3`,
  `SELECT n.nspname, c.relname, pg_get_triggerdef(t.oid) AS definition FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
   JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${USER_SCHEMAS} AND NOT t.tgisinternal ORDER BY 1, 2, 3`,
] as const;

async function userTables(sql: Sql): Promise<{ schema: string; name: string }[]> {
  return await sql.query<{ schema: string; name: string }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND ${USER_SCHEMAS} ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`,
  );
}
