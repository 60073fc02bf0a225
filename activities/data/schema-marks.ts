/**
 * What a branch says of its own schema: every applied migration, and for each service's schema the
 * last entry of the log of schema changes, which also sees what was changed in a service's own UI.
 */
import type { SchemaMark } from '../../shared/restore/schema-changes.ts';
import type { Sql } from './adapters/postgres.ts';
import { readMigrationLedger } from './migrations.ts';

export async function readSchemaMarks(sql: Sql): Promise<SchemaMark[]> {
  const migrations = await readMigrationLedger(sql);
  const services = await sql.query<{ owner: string; last: string }>(
    `SELECT n.nspname AS owner, max(l.id)::text AS last FROM adorable_meta.ddl_log l JOIN pg_namespace n ON n.nspname = split_part(l.object, '.', 1)
     WHERE n.nspname !~ '^(pg_|adorable_|a_[a-z0-9]{12}$)' AND n.nspname NOT IN ('public', 'information_schema') GROUP BY 1 ORDER BY 1`,
  );
  return [
    ...migrations.map(({ app, name, checksum }) => ({ owner: app, name, checksum })),
    ...services.map(({ owner, last }) => ({ owner, name: 'its own schema', checksum: last })),
  ];
}
