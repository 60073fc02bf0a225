/**
 * Credentials do not rewind: the roles of a branch, as old as its moment, are made what the
 * current secrets say before anybody may log in. A role that the secrets do not name cannot log
 * in, so that no revoked credential revives with the past. Nothing is written where all is as
 * wanted (I9). Pure text, used by the compute at start and by the data activities while it runs.
 */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

export interface ComputeRole {
  readonly name: string;
  readonly login: boolean;
  readonly password?: string;
  readonly memberOf?: readonly string[];
  /** Rows of this schema may be read and written; nothing else of it, and no other schema. */
  readonly schema?: string;
  readonly settings?: Readonly<Record<string, string>>;
}

export const ADMIN = 'cloud_admin';
const NAME = /^[a-z_][a-z0-9_-]{0,62}$/;

/** SQL for the superuser, in one transaction; then sessions of roles that may no longer log in are ended. */
export function assertRolesSql(roles: readonly ComputeRole[], adminPassword?: string): string {
  const wanted = roles.map((role) => {
    if (!NAME.test(role.name) || role.name === ADMIN || role.name.startsWith('pg_')) throw new Error(`${JSON.stringify(role.name)} cannot be a role of a project`);
    const { password, ...rest } = role;
    return { ...rest, memberOf: role.memberOf ?? [], settings: role.settings ?? {}, ...(password === undefined ? {} : { verifier: scramVerifier(role.name, password) }) };
  });
  const admin = adminPassword === undefined ? '' : scramVerifier(ADMIN, adminPassword);
  return `BEGIN;
SET LOCAL event_triggers = off;
SET LOCAL standard_conforming_strings = on;
SET LOCAL lock_timeout = '20s';
SELECT set_config('adorable.roles', ${literal(JSON.stringify(wanted))}, true), set_config('adorable.admin', ${literal(admin)}, true);
${ASSERT}
COMMIT;
SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename WHERE a.backend_type = 'client backend' AND NOT r.rolcanlogin;`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The verifier alone enters SQL, never the password. Its salt follows from the role's name, so that the same password gives the same verifier. */
export function scramVerifier(role: string, password: string): string {
  const salt = createHash('sha256').update(`adorable role ${role}`).digest().subarray(0, 16);
  const salted = pbkdf2Sync(password, salt, 4096, 32, 'sha256');
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(hmac('Client Key')).digest('base64');
  return `SCRAM-SHA-256$4096:${salt.toString('base64')}$${storedKey}:${hmac('Server Key').toString('base64')}`;
}

const PLAIN = 'NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS';

const ASSERT = `DO $assert$
DECLARE
  wanted jsonb := current_setting('adorable.roles')::jsonb;
  admin text := nullif(current_setting('adorable.admin'), '');
  role record; have pg_authid; other record; name text; value text; config text[]; owner name;
BEGIN
  IF admin IS NOT NULL AND admin IS DISTINCT FROM (SELECT rolpassword FROM pg_authid WHERE rolname = '${ADMIN}') THEN
    EXECUTE format('ALTER ROLE ${ADMIN} LOGIN PASSWORD %L', admin);
  END IF;
  FOR role IN SELECT * FROM jsonb_to_recordset(wanted) AS r(name text) LOOP
    IF NOT EXISTS (SELECT FROM pg_authid WHERE rolname = role.name) THEN EXECUTE format('CREATE ROLE %I NOLOGIN', role.name); END IF;
  END LOOP;

  FOR role IN SELECT * FROM jsonb_to_recordset(wanted) AS r(name text, login boolean, verifier text, "memberOf" jsonb, schema text, settings jsonb) LOOP
    SELECT * INTO have FROM pg_authid WHERE rolname = role.name;
    IF (have.rolcanlogin, have.rolpassword) IS DISTINCT FROM (role.login, role.verifier) OR coalesce(have.rolvaliduntil, 'infinity') <> 'infinity' OR have.rolconnlimit <> -1
       OR have.rolsuper OR have.rolcreatedb OR have.rolcreaterole OR have.rolreplication OR have.rolbypassrls OR NOT have.rolinherit THEN
      EXECUTE format('ALTER ROLE %I %s ${PLAIN} INHERIT CONNECTION LIMIT -1 VALID UNTIL %L PASSWORD %L',
        role.name, CASE WHEN role.login THEN 'LOGIN' ELSE 'NOLOGIN' END, 'infinity', role.verifier);
    END IF;

    SELECT array_agg(key || '=' || setting ORDER BY key) INTO config FROM jsonb_each_text(role.settings) AS s(key, setting);
    IF config IS DISTINCT FROM (SELECT array_agg(c ORDER BY c) FROM pg_db_role_setting, unnest(setconfig) c WHERE setrole = have.oid AND setdatabase = 0) THEN
      EXECUTE format('ALTER ROLE %I RESET ALL', role.name);
      FOR name, value IN SELECT * FROM jsonb_each_text(role.settings) LOOP
        EXECUTE format('ALTER ROLE %I SET %I = %s', role.name, name, CASE WHEN name = 'search_path' THEN quote_ident(value) ELSE quote_literal(value) END);
      END LOOP;
    END IF;
    IF EXISTS (SELECT FROM pg_db_role_setting WHERE setrole = have.oid AND setdatabase <> 0) THEN
      EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL', role.name, current_database());
    END IF;

    FOR name IN SELECT g.rolname FROM pg_auth_members m JOIN pg_authid g ON g.oid = m.roleid WHERE m.member = have.oid AND NOT role."memberOf" ? g.rolname LOOP
      EXECUTE format('REVOKE %I FROM %I CASCADE', name, role.name);
    END LOOP;
    FOR name IN SELECT * FROM jsonb_array_elements_text(role."memberOf") AS m(n)
      WHERE NOT EXISTS (SELECT FROM pg_auth_members a JOIN pg_authid g ON g.oid = a.roleid WHERE a.member = have.oid AND g.rolname = m.n) LOOP
      EXECUTE format('GRANT %I TO %I', name, role.name);
    END LOOP;

    SELECT o.rolname INTO owner FROM pg_namespace n JOIN pg_authid o ON o.oid = n.nspowner WHERE n.nspname = role.schema;
    IF owner IS NOT NULL AND owner <> role.name THEN
      EXECUTE format('REVOKE CREATE ON SCHEMA %I FROM %I', role.schema, role.name);
      EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', role.schema, role.name);
      EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO %I', role.schema, role.name);
      EXECUTE format('GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA %I TO %I', role.schema, role.name);
      EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO %I', owner, role.schema, role.name);
      EXECUTE format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %I GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO %I', owner, role.schema, role.name);
    END IF;
  END LOOP;

  FOR other IN SELECT rolname FROM pg_authid a WHERE rolname <> '${ADMIN}' AND rolname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM jsonb_to_recordset(wanted) AS r(name text) WHERE r.name = a.rolname)
    AND (rolcanlogin OR rolpassword IS NOT NULL OR rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls) LOOP
    EXECUTE format('ALTER ROLE %I NOLOGIN ${PLAIN} PASSWORD NULL', other.rolname);
  END LOOP;
END
$assert$;`;
