/**
 * The content ledger: what an app's seeds put into its tables, row by row. A later generation changes
 * a seeded row only while it is what was seeded; what a person changed, deleted or made stays as it
 * is. Rows and ledger lie in one branch and one transaction: they rewind together (I1, I9).
 */
import { AdorableError } from '../../shared/errors.ts';
import type { AppId } from '../../shared/ids.ts';
import { keyText, parseSeeds } from '../../shared/spec/seeds.ts';
import type { SeedRow, Seeds } from '../../shared/spec/seeds.ts';
import { ident, type Sql } from './adapters/postgres.ts';
import { asOwner } from './owner-login.ts';
import type { OwnerAccess } from './owner-login.ts';

export interface SeedFile {
  /** `categories.json` */
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

export interface SeedRun {
  readonly appId: AppId;
  readonly revision: string | null;
  readonly seeds: readonly SeedFile[];
}

/** The ledger's key for a whole file: nothing is read of a table whose seeds are as they were. */
const WHOLE_FILE = '';

interface Pending {
  readonly files: readonly { readonly file: SeedFile; readonly seeds: Seeds }[];
  /** Table and key → what the ledger remembers. */
  readonly known: ReadonlyMap<string, string>;
}

async function readPending(admin: Sql, { appId, seeds }: SeedRun): Promise<Pending> {
  if (seeds.length === 0) return { files: [], known: new Map() };
  const parsed = seeds.map((file) => ({ file, seeds: parseSeeds(file.text, `seeds/${file.name} of ${appId}`) }));
  const ledger = await admin.query<{ table_name: string; key: string; hash: string }>(`SELECT table_name, key, hash FROM adorable_meta.content_ledger WHERE starts_with(table_name, $1 || '.')`, [appId]);
  const known = new Map(ledger.map((row) => [`${row.table_name.slice(appId.length + 1)} ${row.key}`, row.hash]));
  return { files: parsed.filter(({ file, seeds: { table } }) => known.get(`${table} ${WHOLE_FILE}`) !== file.checksum), known };
}

/** Names of the seed files that the branch has not received as they are now. */
export async function pendingSeeds(admin: Sql, run: SeedRun): Promise<string[]> {
  return (await readPending(admin, run)).files.map(({ file }) => `seeds/${file.name}`);
}

/** Answers the files that it applied. */
export async function runSeeds(access: OwnerAccess, run: SeedRun): Promise<string[]> {
  const { appId } = run;
  const { files: pending, known } = await readPending(access.admin, run);
  if (pending.length === 0) return [];
  await asOwner(access, appId, (sql) => sql.transaction(async () => {
    for (const { file, seeds: one } of pending) {
      try {
        for (const row of one.rows) await seedRow(sql, { run, seeds: one, row, seeded: known.get(`${one.table} ${keyText(one.key, row)}`) });
        await record(sql, run, { table: one.table, key: WHOLE_FILE, hash: file.checksum });
      } catch (error) {
        if (!(error instanceof AdorableError)) throw error;
        throw new AdorableError(error.type, `seeds/${file.name} of ${appId} failed: ${error.message}`, { cause: error, details: { ...error.details, app: appId, seeds: file.name } });
      }
    }
  }));
  return pending.map(({ file }) => `seeds/${file.name}`);
}

interface OneRow {
  readonly run: SeedRun;
  readonly seeds: Seeds;
  readonly row: SeedRow;
  /** What the ledger remembers of it. */
  readonly seeded: string | undefined;
}

async function seedRow(sql: Sql, { run, seeds, row, seeded }: OneRow): Promise<void> {
  const { table, key } = seeds;
  const columns = Object.keys(row).sort();
  const wanted = `jsonb_populate_record(NULL::${ident(table)}, $1::jsonb)`;
  const [found] = await sql.query<Record<string, string | null>>(
    `SELECT ${hashOf('t', columns)} AS now, ${hashOf('w', columns)} AS wish, ${seeded === undefined ? 'NULL' : hashOf('t', columnsOf(seeded))} AS seeded
       FROM ${wanted} w JOIN ${ident(table)} t ON ${key.map((column) => `t.${ident(column)} IS NOT DISTINCT FROM w.${ident(column)}`).join(' AND ')} FOR UPDATE OF t`,
    [JSON.stringify(row)],
  );
  // Seeded once and gone now: a person took it away.
  if (found === undefined && seeded !== undefined) return;
  if (found === undefined) {
    const [made] = await sql.query<{ hash: string }>(
      `INSERT INTO ${ident(table)} AS t (${columns.map(ident).join(', ')}) SELECT ${columns.map((column) => `w.${ident(column)}`).join(', ')} FROM ${wanted} w RETURNING ${hashOf('t', columns)} AS hash`,
      [JSON.stringify(row)],
    );
    await record(sql, run, { table, key: keyText(key, row), hash: `${columns.join()}:${made?.hash ?? ''}` });
    return;
  }
  const isUntouched = seeded === undefined ? found['now'] === found['wish'] : `${columnsOf(seeded).join()}:${found['seeded'] ?? ''}` === seeded;
  if (!isUntouched) return;
  if (found['now'] !== found['wish']) {
    const changed = columns.filter((column) => !key.includes(column));
    await sql.query(
      `UPDATE ${ident(table)} t SET ${changed.map((column) => `${ident(column)} = w.${ident(column)}`).join(', ')} FROM ${wanted} w
        WHERE ${key.map((column) => `t.${ident(column)} IS NOT DISTINCT FROM w.${ident(column)}`).join(' AND ')}`,
      [JSON.stringify(row)],
    );
  }
  await record(sql, run, { table, key: keyText(key, row), hash: `${columns.join()}:${found['wish'] ?? ''}` });
}

async function record(sql: Sql, { appId, revision }: SeedRun, { table, key, hash }: { table: string; key: string; hash: string }): Promise<void> {
  await sql.query('SELECT adorable_meta.record_content($1, $2, $3, $4, $5)', [appId, table, key, hash, revision ?? '']);
}

/** Over the columns that were seeded: a column that came later is nobody's change. */
function hashOf(alias: string, columns: readonly string[]): string {
  const pairs = columns.map((column) => `'${column}', ${alias}.${ident(column)}`).join(', ');
  return `encode(sha256(convert_to(jsonb_build_object(${pairs})::text, 'UTF8')), 'hex')`;
}

function columnsOf(seeded: string): readonly string[] {
  return seeded.slice(0, seeded.lastIndexOf(':')).split(',').filter((column) => /^[a-z_][a-z0-9_]*$/.test(column));
}
