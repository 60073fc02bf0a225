/**
 * Commits what people and tools changed in the worktree since HEAD. A worktree that has not caught
 * up with a moved HEAD (its follower was killed) contributes only its own changes: what it merely
 * has not received yet must not come back as if somebody had undone it (I2).
 */
import type { Fenced } from '../../shared/moment.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import { captureWorktree } from './capture-worktree.ts';
import type { CodeDeps } from './code-deps.ts';
import { withFence } from './fence.ts';
import type { Writer } from './fence.ts';
import { followWorktree } from './follow-worktree.ts';
import { installIndex } from './install-index.ts';
import { attachedTo, FOLLOWING, MAIN, makeCommit, openRepository, positionOf, resolve, withIndex } from './repository.ts';
import type { Repository } from './repository.ts';
import { addEntries, indexEntries, removeEntries, treeEntries } from './tree-entries.ts';

type Dirty = Fenced & { readonly reason: string };

export async function commitDirty(deps: CodeDeps, input: Dirty): Promise<CommitPoint & { committed: boolean }> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  return await withFence(repository, input, async (writer) => {
    const { head, following: base, madeBy } = await positionOf(repository);
    await keepDetachedHead(repository, writer, input);
    return await withIndex(repository, async (index) => {
      const tree = await worktreeTree(repository, index, { head, base });
      const date = await deps.operationTime(input.operationId);
      if (tree === head.tree) {
        if (base !== undefined) await settle(repository, writer, { base, target: head, operationId: input.operationId, date });
        // A repeat whose first run lost its reply finds the commit that it made.
        return { ...head, committed: madeBy.operation === input.operationId && madeBy.reason === input.reason };
      }
      const point = await makeCommit(repository, {
        tree,
        parent: head.commit,
        subject: `Save the worktree: ${input.reason}`,
        trailers: { 'Adorable-Reason': input.reason, 'Adorable-Operation': input.operationId },
        date,
      });
      await writer.updateRefs([{ ref: MAIN, to: point.commit, from: head.commit }]);
      if (base === undefined) await installIndex(repository, index);
      else await settle(repository, writer, { base, target: point, operationId: input.operationId, date });
      return { ...point, committed: true };
    });
  });
}

async function worktreeTree(repository: Repository, index: string, { head: at, base }: { head: CommitPoint; base: string | undefined }): Promise<CommitPoint['tree']> {
  await captureWorktree(repository, index, at);
  if (base !== undefined) {
    const found = await indexEntries(repository, index);
    const before = await treeEntries(repository, base);
    const head = await treeEntries(repository, at.tree);
    const paths = new Set([...found.keys(), ...before.keys(), ...head.keys()]);
    const late = [...paths].filter((path) => found.get(path) === before.get(path) && found.get(path) !== head.get(path));
    await removeEntries(repository, index, late.filter((path) => !head.has(path)));
    await addEntries(repository, index, late.flatMap((path) => { const value = head.get(path); return value === undefined ? [] : [[path, value] as const]; }));
  }
  return (await repository.git.run(['write-tree'], { index })).trim() as CommitPoint['tree'];
}

async function settle(repository: Repository, writer: Writer, follow: Parameters<typeof followWorktree>[2]): Promise<void> {
  await followWorktree(repository, writer, follow);
  await writer.updateRefs([{ ref: FOLLOWING, to: null }]);
}

/** Commits made on a detached HEAD are reachable from nothing else once HEAD is attached again. */
async function keepDetachedHead(repository: Repository, writer: Writer, input: Fenced): Promise<void> {
  if ((await attachedTo(repository)) !== undefined) return;
  const detached = await resolve(repository, 'HEAD^{commit}');
  if (detached === undefined) return;
  await writer.updateRefs([{ ref: `refs/adorable/rescue/${input.operationId}/detached-head`, to: detached }]);
}
