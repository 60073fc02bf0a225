/**
 * A login that is a member of one app's owner and of nothing else, and lives only meanwhile: SQL that
 * was generated, and triggers that it left, could RESET ROLE to whatever their session began as (I8, I10).
 */
import { randomBytes } from 'node:crypto';
import type { AppId } from '../../shared/ids.ts';
import { scramVerifier } from '../../local/node/runners/compute/assert-roles.ts';
import { ident, type Login, type Sql } from './adapters/postgres.ts';
import { ownerOf } from './schemas.ts';

export type AsLogin = <T>(login: Login, work: (sql: Sql) => Promise<T>) => Promise<T>;

export interface OwnerAccess {
  readonly admin: Sql;
  readonly asLogin: AsLogin;
}

/** What such a login may enter in the ledgers, of its own app alone. */
const LEDGER_FUNCTIONS = 'adorable_meta.record_migration, adorable_meta.record_content';

export async function asOwner<T>({ admin, asLogin }: OwnerAccess, appId: AppId, work: (sql: Sql) => Promise<T>): Promise<T> {
  await dropLeftovers(admin);
  const user = `adorable_migration_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(24).toString('hex');
  await admin.transaction(async () => {
    await admin.query(`CREATE ROLE ${ident(user)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION INHERIT CONNECTION LIMIT 1 PASSWORD '${scramVerifier(user, password)}' IN ROLE ${ident(ownerOf(appId))}`);
    await admin.query(`ALTER ROLE ${ident(user)} SET role = ${ident(ownerOf(appId))}`);
    await admin.query(`ALTER ROLE ${ident(user)} SET search_path = ${ident(appId)}`);
    await admin.query(`GRANT EXECUTE ON FUNCTION ${LEDGER_FUNCTIONS} TO ${ident(user)}, ${ident(ownerOf(appId))}`);
  });
  try {
    return await asLogin({ user, password }, work);
  } finally {
    await dropLogin(admin, user, ownerOf(appId));
  }
}

/** Whatever a migration made as its login instead of as the owner belongs to the owner. */
async function dropLogin(admin: Sql, user: string, owner: string): Promise<void> {
  await admin.transaction(async () => {
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [user]);
    await admin.query(`REASSIGN OWNED BY ${ident(user)} TO ${ident(owner)}`);
    await admin.query(`DROP OWNED BY ${ident(user)}`);
    await admin.query(`DROP ROLE ${ident(user)}`);
    await admin.query(`REVOKE EXECUTE ON FUNCTION ${LEDGER_FUNCTIONS} FROM ${ident(owner)}`);
  });
}

/** Logins of runs that were killed; one operation at a time works on a project, so none is in use. */
async function dropLeftovers(admin: Sql): Promise<void> {
  const left = await admin.query<{ name: string; owner: string | null }>(
    `SELECT r.rolname AS name, (SELECT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid LIMIT 1) AS owner
     FROM pg_roles r WHERE r.rolname ~ '^adorable_migration_[0-9a-f]{12}$'`,
  );
  for (const { name, owner } of left) await dropLogin(admin, name, owner ?? 'cloud_admin');
}
