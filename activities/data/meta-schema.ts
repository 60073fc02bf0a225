/**
 * `adorable_meta`: what a branch remembers of itself and therefore rewinds with the data: applied
 * migrations, seeded content, and a log of every schema change whoever made it.
 */
import { AdorableError } from '../../shared/errors.ts';
import type { Fenced } from '../../shared/moment.ts';
import type { Sql } from './adapters/postgres.ts';

const VERSION = '2';

/** Creates what is missing; one read when all is there (I9). */
export async function ensureMeta(sql: Sql): Promise<void> {
  const [found] = await sql.query<{ version: string | null }>(`SELECT obj_description(to_regnamespace('adorable_meta'), 'pg_namespace') AS version`);
  if (found?.version === `adorable ${VERSION}`) return;
  await sql.transaction(async () => {
    // Two first visitors: the second waits, and finds all made.
    await sql.query(`SELECT pg_advisory_xact_lock(hashtext('adorable_meta'))`);
    await sql.query(SCHEMA);
    await sql.query(`COMMENT ON SCHEMA adorable_meta IS 'adorable ${VERSION}'`);
  });
}

/**
 * The branch's own fence, taken in the very transaction that changes a schema: a child of a run that
 * was terminated may still be at work when its heir has dropped what it made (I2). It rewinds with
 * the branch, so that every converge takes it anew.
 */
export async function takeFence(sql: Sql, { fence, operationId }: Fenced): Promise<void> {
  const taken = await sql.query(
    `INSERT INTO adorable_meta.fence AS f (fence) VALUES ($1) ON CONFLICT (one) DO UPDATE SET fence = EXCLUDED.fence WHERE f.fence <= EXCLUDED.fence RETURNING fence`, [fence],
  );
  if (taken.length === 0) throw new AdorableError('StaleFence', `Operation ${operationId} works under fence ${String(fence)}, the database has seen a newer one: nothing was changed.`);
}

/** For as long as it lives, an owner's login may enter its own app's rows in the ledgers, and no other's. */
const SCHEMA = `
SET LOCAL event_triggers = off;
CREATE SCHEMA IF NOT EXISTS adorable_meta;
REVOKE ALL ON SCHEMA adorable_meta FROM PUBLIC;
GRANT USAGE ON SCHEMA adorable_meta TO PUBLIC;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE TEMPORARY ON DATABASE app FROM PUBLIC;

CREATE TABLE IF NOT EXISTS adorable_meta.migrations (
  app text NOT NULL, name text NOT NULL, checksum text NOT NULL, revision text, applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (app, name));
CREATE TABLE IF NOT EXISTS adorable_meta.content_ledger (
  table_name text NOT NULL, key text NOT NULL, hash text NOT NULL, generation text NOT NULL, PRIMARY KEY (table_name, key));
CREATE TABLE IF NOT EXISTS adorable_meta.fence (one boolean PRIMARY KEY DEFAULT true CHECK (one), fence bigint NOT NULL);
CREATE TABLE IF NOT EXISTS adorable_meta.ddl_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), by text NOT NULL, command text NOT NULL, object text NOT NULL);

CREATE OR REPLACE FUNCTION adorable_meta.record_migration(app text, name text, checksum text, revision text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF NOT pg_has_role(session_user, app || '_owner', 'MEMBER') THEN
    RAISE EXCEPTION 'only a migration of % may record one', app USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO adorable_meta.migrations (app, name, checksum, revision) VALUES (app, name, checksum, revision);
END $$;
REVOKE ALL ON FUNCTION adorable_meta.record_migration FROM PUBLIC;

CREATE OR REPLACE FUNCTION adorable_meta.record_content(app text, seeded text, row_key text, row_hash text, made_by text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF NOT pg_has_role(session_user, app || '_owner', 'MEMBER') THEN
    RAISE EXCEPTION 'only a seed of % may record one', app USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO adorable_meta.content_ledger (table_name, key, hash, generation) VALUES (app || '.' || seeded, row_key, row_hash, made_by)
  ON CONFLICT (table_name, key) DO UPDATE SET hash = EXCLUDED.hash, generation = EXCLUDED.generation;
END $$;
REVOKE ALL ON FUNCTION adorable_meta.record_content FROM PUBLIC;

CREATE OR REPLACE FUNCTION adorable_meta.log_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF tg_event = 'sql_drop' THEN
    INSERT INTO adorable_meta.ddl_log (by, command, object)
    SELECT session_user, tg_tag, object_identity FROM pg_event_trigger_dropped_objects() WHERE original AND NOT is_temporary;
  ELSE
    INSERT INTO adorable_meta.ddl_log (by, command, object)
    SELECT session_user, command_tag, object_identity FROM pg_event_trigger_ddl_commands()
    WHERE coalesce(schema_name, '') NOT IN ('pg_temp', 'adorable_meta') AND command_tag NOT IN ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES');
  END IF;
END $$;
DROP EVENT TRIGGER IF EXISTS adorable_ddl;
DROP EVENT TRIGGER IF EXISTS adorable_drop;
CREATE EVENT TRIGGER adorable_ddl ON ddl_command_end EXECUTE FUNCTION adorable_meta.log_ddl();
CREATE EVENT TRIGGER adorable_drop ON sql_drop EXECUTE FUNCTION adorable_meta.log_ddl();
`;
