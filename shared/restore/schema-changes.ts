/**
 * Schema changes between two moments by name, from what each branch remembers of itself. Code and
 * data that are moved apart must agree on these, or the restore is refused (I1).
 */

/** One applied migration of an app, or the sum of what a service did to its own schema. */
export interface SchemaMark {
  /** App id, or the schema of a service. */
  readonly owner: string;
  readonly name: string;
  readonly checksum: string;
}

export interface SchemaChange {
  /** The app's slug where it is known, else the owner as recorded. */
  readonly owner: string;
  readonly name: string;
  /** What going to the target does to it. */
  readonly change: 'undone' | 'redone' | 'differs';
}

/** `names`: slugs by app id. */
export function migrationsSince(now: readonly SchemaMark[], then: readonly SchemaMark[], names: ReadonlyMap<string, string> = new Map()): readonly SchemaChange[] {
  const keyOf = (mark: SchemaMark): string => JSON.stringify([mark.owner, mark.name]);
  const [present, past] = [new Map(now.map((mark) => [keyOf(mark), mark])), new Map(then.map((mark) => [keyOf(mark), mark]))];
  const changes = [...new Map([...past, ...present])].flatMap(([key, { owner, name }]): SchemaChange[] => {
    const [here, there] = [present.get(key), past.get(key)];
    if (here?.checksum === there?.checksum) return [];
    return [{ owner: names.get(owner) ?? owner, name, change: there === undefined ? 'undone' : here === undefined ? 'redone' : 'differs' }];
  });
  return changes.sort((a, b) => (a.owner === b.owner ? (a.name < b.name ? -1 : 1) : a.owner < b.owner ? -1 : 1));
}
