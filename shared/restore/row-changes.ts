/** Which tables differ between two counts: what a restore's preview shows as lost or revived. */
import type { RowChange } from './plan.ts';

export interface Counted {
  readonly table: string;
  readonly rows: number;
}

export function changedTables(now: readonly Counted[], then: readonly Counted[]): readonly RowChange[] {
  const [present, past] = [toMap(now), toMap(then)];
  return [...new Set([...present.keys(), ...past.keys()])].sort()
    .map((table) => ({ table, now: present.get(table) ?? null, then: past.get(table) ?? null }))
    .filter((row) => row.now !== row.then);
}

function toMap(counted: readonly Counted[]): ReadonlyMap<string, number> {
  return new Map(counted.map((row) => [row.table, row.rows]));
}
