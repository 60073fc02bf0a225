/**
 * Schema changes between two moments by name, from what each branch remembers of itself. Code and
 * data that are moved apart must agree on these, or the restore is refused (I1).
 */
import { AdorableError } from '../errors.ts';
import type { CheckpointId } from '../ids.ts';
import type { RestoreMode } from '../moment.ts';

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

/** A moment whose schema nobody wrote down cannot be compared. */
export function refuseUnknown(schemaMarks: readonly SchemaMark[] | null, target: CheckpointId, mode: RestoreMode): void {
  if (schemaMarks !== null) return;
  throw new AdorableError('PreconditionFailed', `The schema at ${target} was not recorded, so ${mode} alone might part it from the code: restore with --mode all, or accept that with --accept-drift.`);
}

/** Code that meets a schema it was not written for is what `all` exists to avoid. */
export function refuseParting(changes: readonly SchemaChange[], target: CheckpointId, mode: RestoreMode): void {
  if (changes.length === 0) return;
  const named = changes.slice(0, 5).map(({ owner, name, change }) => `${owner}: ${name} ${change}`).join(', ');
  throw new AdorableError(
    'PreconditionFailed',
    `${String(changes.length)} schema change${changes.length === 1 ? ' lies' : 's lie'} between here and ${target} (${named}): ${mode} alone would part code and schema; restore with --mode all, or accept that with --accept-drift.`,
    { details: { schemaChanges: changes, mode, instead: 'all' } },
  );
}
