/** Which tables differ between two counts: what a restore's preview shows as lost or revived. */
import type { RowChange } from './plan.ts';

export interface Counted {
  readonly table: string;
  readonly rows: number;
}

/** `names`: slugs by app id, which is the name of an app's schema. */
export function changedTables(now: readonly Counted[], then: readonly Counted[], names: ReadonlyMap<string, string> = new Map()): readonly RowChange[] {
  const [present, past] = [toMap(now), toMap(then)];
  return [...new Set([...present.keys(), ...past.keys()])].sort()
    .map((table) => ({ table, label: labelOf(table, names), now: present.get(table) ?? null, then: past.get(table) ?? null }))
    .filter((row) => row.now !== row.then);
}

function labelOf(table: string, names: ReadonlyMap<string, string>): string {
  const [schema = '', ...rest] = table.split('.');
  return [names.get(schema) ?? schema, ...rest].join('.');
}

function toMap(counted: readonly Counted[]): ReadonlyMap<string, number> {
  return new Map(counted.map((row) => [row.table, row.rows]));
}
