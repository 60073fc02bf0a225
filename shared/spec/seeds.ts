/**
 * `seeds/<table>.json` of an app: rows that come with it. Strictly parsed; a table's and a column's
 * name reaches SQL as an identifier, a value only ever as a parameter.
 */
import { AdorableError } from '../errors.ts';

export type SeedValue = string | number | boolean | null;
export type SeedRow = Readonly<Record<string, SeedValue>>;

export interface Seeds {
  readonly table: string;
  /** Columns by which a row is known: a person who changes one of them has made another row. */
  readonly key: readonly string[];
  readonly rows: readonly SeedRow[];
}

const NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const MAX_ROWS = 2000;

export function parseSeeds(text: string, where: string): Seeds {
  const refuse = (why: string): never => {
    throw new AdorableError('InvalidInput', `${where} ${why}: mend it, then generate again.`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse('is not JSON');
  }
  const { table, key, rows, ...rest } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  if (Object.keys(rest).length > 0) refuse(`has ${Object.keys(rest).join(', ')}, which nobody knows`);
  if (typeof table !== 'string' || !NAME.test(table)) return refuse('names no table');
  if (!isNames(key) || key.length === 0) return refuse('names no key columns');
  if (!Array.isArray(rows) || rows.length > MAX_ROWS) return refuse(`has no list of at most ${String(MAX_ROWS)} rows`);
  const columns = Object.keys((rows[0] ?? {}) as object).sort();
  const seen = new Set<string>();
  const parsed = rows.map((row: unknown, index): SeedRow => {
    const at = `has a row ${String(index + 1)}`;
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return refuse(`${at} that is no object`);
    const own = Object.keys(row).sort();
    if (!isNames(own) || own.join() !== columns.join() || key.some((column) => !own.includes(column))) return refuse(`${at} with other columns than the first, or without its key`);
    for (const cell of Object.values(row)) {
      if (cell !== null && !['string', 'number', 'boolean'].includes(typeof cell)) return refuse(`${at} with a value that is no text, number or truth value`);
    }
    const id = keyText(key, row as SeedRow);
    if (seen.has(id)) return refuse(`${at} whose key was there before`);
    seen.add(id);
    return row as SeedRow;
  });
  return { table, key, rows: parsed };
}

/** What the ledger calls a row. */
export function keyText(key: readonly string[], row: SeedRow): string {
  return JSON.stringify(key.map((column) => row[column] ?? null));
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string' && NAME.test(name)) && new Set(value).size === value.length;
}
