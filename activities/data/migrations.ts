/**
 * An app's migrations, run as its owner and as nobody else (I8, I10). One transaction per app; each
 * ledger row is part of it, so that a repeat finds either all of it or none (I9).
 */
import { AdorableError } from '../../shared/errors.ts';
import type { AppId } from '../../shared/ids.ts';
import { ident, type Sql } from './adapters/postgres.ts';
import { ensureMeta } from './meta-schema.ts';
import { asOwner, type AsLogin } from './owner-login.ts';
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

  await asOwner({ admin, asLogin }, appId, (sql) => sql.transaction(async () => {
    for (const migration of pending) await applyOne(sql, run, migration);
  }));
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
