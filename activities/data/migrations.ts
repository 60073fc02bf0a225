/**
 * An app's migrations: run by a login that is a member of that app's owner and of nothing else and
 * lives only meanwhile, since generated SQL could RESET ROLE to whatever its session began as
 * (I8, I10). One transaction per app; each ledger row is part of it, so that a repeat finds either
 * all of it or none (I9).
 */
import { randomBytes } from 'node:crypto';
import { AdorableError } from '../../shared/errors.ts';
import type { AppId } from '../../shared/ids.ts';
import { scramVerifier } from '../../local/node/runners/compute/assert-roles.ts';
import { ident, type Login, type Sql } from './adapters/postgres.ts';
import { ensureMeta } from './meta-schema.ts';
import { ownerOf } from './schemas.ts';

export interface Migration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

export interface AppliedMigration {
  readonly app: string;
  readonly name: string;
  readonly checksum: string;
}

export type AsLogin = <T>(login: Login, work: (sql: Sql) => Promise<T>) => Promise<T>;

export interface MigrationRun {
  readonly appId: AppId;
  readonly revision: string | null;
  readonly migrations: readonly Migration[];
}

export async function readMigrationLedger(sql: Sql): Promise<AppliedMigration[]> {
  await ensureMeta(sql);
  return await sql.query<AppliedMigration>('SELECT app, name, checksum FROM adorable_meta.migrations ORDER BY app, name');
}

/** What the ledger lacks; history is not rewritten. */
export function pendingMigrations({ appId, migrations }: MigrationRun, ledger: readonly AppliedMigration[]): readonly Migration[] {
  const applied = new Map(ledger.filter((row) => row.app === appId).map((row) => [row.name, row.checksum]));
  return migrations.filter((migration) => {
    const known = applied.get(migration.name);
    if (known !== undefined && known !== migration.checksum) {
      throw new AdorableError('PreconditionFailed', `Migration ${migration.name} of ${appId} was changed after it was applied: add a new one instead.`);
    }
    return known === undefined;
  });
}

export async function runMigrations(admin: Sql, asLogin: AsLogin, run: MigrationRun): Promise<string[]> {
  const { appId } = run;
  const pending = pendingMigrations(run, await readMigrationLedger(admin));
  if (pending.length === 0) return [];

  await dropLeftovers(admin);
  const user = `adorable_migration_${randomBytes(6).toString('hex')}`;
  const password = randomBytes(24).toString('hex');
  await admin.transaction(async () => {
    await admin.query(`CREATE ROLE ${ident(user)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION INHERIT CONNECTION LIMIT 1 PASSWORD '${scramVerifier(user, password)}' IN ROLE ${ident(ownerOf(appId))}`);
    await admin.query(`ALTER ROLE ${ident(user)} SET role = ${ident(ownerOf(appId))}`);
    await admin.query(`ALTER ROLE ${ident(user)} SET search_path = ${ident(appId)}`);
    await admin.query(`GRANT EXECUTE ON FUNCTION adorable_meta.record_migration TO ${ident(user)}, ${ident(ownerOf(appId))}`);
  });
  try {
    await asLogin({ user, password }, (sql) => sql.transaction(async () => {
      for (const migration of pending) await applyOne(sql, run, migration);
    }));
  } finally {
    await dropLogin(admin, user, ownerOf(appId));
  }
  return pending.map((migration) => migration.name);
}

async function applyOne(sql: Sql, { appId, revision }: MigrationRun, migration: Migration): Promise<void> {
  try {
    // Inside DO, a migration that ends the transaction is refused instead of half kept.
    await sql.query(`SELECT set_config('adorable.migration', $1, true)`, [migration.sql]);
    await sql.query(`DO $run$ BEGIN EXECUTE current_setting('adorable.migration'); END $run$`);
    // What it may have set for itself does not reach the next one.
    await sql.query(`SET LOCAL role = ${ident(ownerOf(appId))}; SET LOCAL search_path = ${ident(appId)}`);
    await sql.query('SELECT adorable_meta.record_migration($1, $2, $3, $4)', [appId, migration.name, migration.checksum, revision]);
  } catch (error) {
    if (!(error instanceof AdorableError)) throw error;
    throw new AdorableError(error.type, `Migration ${migration.name} of ${appId} failed: ${error.message}`, { cause: error, details: { ...error.details, app: appId, migration: migration.name } });
  }
}

/** Whatever a migration made as its login instead of as the owner belongs to the owner. */
async function dropLogin(admin: Sql, user: string, owner: string): Promise<void> {
  await admin.transaction(async () => {
    await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [user]);
    await admin.query(`REASSIGN OWNED BY ${ident(user)} TO ${ident(owner)}`);
    await admin.query(`DROP OWNED BY ${ident(user)}`);
    await admin.query(`DROP ROLE ${ident(user)}`);
    await admin.query(`REVOKE EXECUTE ON FUNCTION adorable_meta.record_migration FROM ${ident(owner)}`);
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
