/**
 * The tree of moments: where `undo`, `redo`, `previous` and `before:<app>` lead. Pure. A restore
 * adds a node that aliases its target; nothing newer is ever pruned by restoring.
 */
import { AdorableError } from '../errors.ts';
import { parseCheckpointId } from '../ids.ts';
import type { CheckpointId } from '../ids.ts';
import type { CheckpointKind, OperationKind, RestoreMode } from '../moment.ts';
import { parseSlug } from '../slug.ts';

export interface TreeNode {
  readonly id: CheckpointId;
  readonly kind: CheckpointKind;
  readonly parentId: CheckpointId | null;
  readonly aliasOf: CheckpointId | null;
  /** Slugs declared live at that moment. */
  readonly slugs: readonly string[];
  /** Order of recording. */
  readonly ordinal: number;
}

export interface MomentTree {
  readonly nodes: ReadonlyMap<CheckpointId, TreeNode>;
  readonly current: CheckpointId;
  /** Snapshots that undos left, oldest first; a new generation empties it. */
  readonly redoStack: readonly CheckpointId[];
}

/** The moment itself: an alias stands for its target. */
export function resolveAlias(tree: MomentTree, id: CheckpointId): TreeNode {
  let node = nodeOf(tree, id);
  while (node.aliasOf !== null) node = nodeOf(tree, node.aliasOf);
  return node;
}

/** `undo` = `previous`: the pre-generation checkpoint of the generation that made the current tree. */
export function previousMoment(tree: MomentTree): CheckpointId {
  let node: TreeNode | null = resolveAlias(tree, tree.current);
  while (node !== null && node.kind !== 'generated') {
    node = node.parentId === null ? null : resolveAlias(tree, node.parentId);
  }
  if (node?.parentId == null) {
    throw new AdorableError('PreconditionFailed', 'Nothing to undo: no generation made the current state.');
  }
  return node.parentId;
}

/** `redo`: the newest snapshot that an undo left and no redo has taken. */
export function redoMoment(tree: MomentTree): CheckpointId {
  const newest = tree.redoStack.at(-1);
  if (newest === undefined) throw new AdorableError('PreconditionFailed', 'Nothing to redo: no undo came after the last generation.');
  return newest;
}

/** `before:<app>`: the newest recorded moment, reached from the current one, that did not have the app. */
export function momentBefore(tree: MomentTree, slug: string): CheckpointId {
  let node: TreeNode | null = resolveAlias(tree, tree.current);
  let seen = false;
  while (node !== null) {
    if (node.slugs.includes(slug)) seen = true;
    else if (seen) return node.id;
    node = node.parentId === null ? null : resolveAlias(tree, node.parentId);
  }
  throw new AdorableError('NotFound', seen ? `No moment before ${slug} is recorded.` : `The project has no app ${slug}: see \`adorable status\` or \`adorable timeline\`.`);
}

/** The moment just older than the current one, which a refusal names. */
export function justOlder(tree: MomentTree): CheckpointId | null {
  const here = resolveAlias(tree, tree.current);
  return here.parentId === null ? null : resolveAlias(tree, here.parentId).id;
}

/** A checkpoint id, `undo` / `previous`, `redo` or `before:<slug>`: the moment that it names. */
export function resolveTarget(tree: MomentTree, target: string): CheckpointId {
  if (target === 'undo' || target === 'previous') return previousMoment(tree);
  if (target === 'redo') return redoMoment(tree);
  if (target.startsWith('before:')) return momentBefore(tree, parseSlug(target.slice('before:'.length)));
  return parseCheckpointId(target);
}

/** Rows may have been written since the current moment was recorded, so data alone may go to it. */
export function refuseCurrent(tree: MomentTree, target: CheckpointId, mode: RestoreMode): void {
  if (mode === 'data' || !tree.nodes.has(target)) return;
  if (resolveAlias(tree, target).id !== resolveAlias(tree, tree.current).id) return;
  const older = justOlder(tree);
  throw new AdorableError('CurrentMoment', `${target} is the current moment: ${older === null ? 'nothing older is recorded' : `the one just older is ${older}`}.`, { details: { current: target, justOlder: older } });
}

/** The redo stack once an operation has decided to go forward. */
export function redoStackAfter(stack: readonly CheckpointId[], kind: OperationKind, restore: { readonly redo: boolean; readonly snapshotId: CheckpointId } | null): readonly CheckpointId[] {
  if (kind === 'generate') return [];
  if (kind !== 'restore' || restore === null) return stack;
  return restore.redo ? stack.slice(0, -1) : [...stack, restore.snapshotId];
}

function nodeOf(tree: MomentTree, id: CheckpointId): TreeNode {
  const node = tree.nodes.get(id);
  if (node === undefined) throw new AdorableError('InvariantViolated', `Checkpoint ${id} is referred to but not recorded.`);
  return node;
}
