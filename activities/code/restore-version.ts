/**
 * The one way HEAD moves (I1): to the moment's tree, in a commit that adds to history. The ref
 * moves first, together with a note of what the worktree still is; then the worktree follows, and
 * whoever finds the note finishes that. At the end the checkout that pods read is there.
 */
import { AdorableError } from '../../shared/errors.ts';
import { parseCommitSha, parseTreeHash } from '../../shared/ids.ts';
import type { FencedMoment } from '../../shared/moment.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import type { CodeDeps } from './code-deps.ts';
import { withFence } from './fence.ts';
import { followWorktree } from './follow-worktree.ts';
import { FOLLOWING, headOf, MAIN, makeCommit, openRepository, pointOf, resolve } from './repository.ts';
import type { Repository } from './repository.ts';
import { serveTree } from './serve-tree.ts';

export async function restoreVersion(deps: CodeDeps, input: FencedMoment): Promise<CommitPoint> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  await refuseUnreachable(repository, input);
  const result = await withFence(repository, input, async (writer) => {
    const date = await deps.operationTime(input.operationId);
    const head = await headOf(repository);
    const target = await targetOf(repository, input, { head, date });
    const base = (await resolve(repository, FOLLOWING)) ?? head.commit;
    if (target.commit !== head.commit) {
      await writer.updateRefs([
        { ref: FOLLOWING, to: base },
        { ref: MAIN, to: target.commit, from: head.commit },
      ]);
    }
    await followWorktree(repository, writer, { base, target, operationId: input.operationId, date });
    await writer.updateRefs([{ ref: FOLLOWING, to: null }]);
    return target;
  });
  await serveTree(deps, { projectId: input.projectId, tree: result.tree });
  return result;
}

async function targetOf(repository: Repository, input: FencedMoment, now: { head: CommitPoint; date: Date }): Promise<CommitPoint> {
  const { moment } = input;
  if (now.head.tree === moment.tree) return now.head;
  const parent = await resolve(repository, `${moment.commit}^1`);
  if (parent === now.head.commit) return { commit: moment.commit, tree: moment.tree };
  return await makeCommit(repository, {
    tree: moment.tree,
    parent: now.head.commit,
    subject: `Return to checkpoint ${moment.checkpointId}`,
    trailers: { 'Adorable-Moment': moment.commit, 'Adorable-Checkpoint': moment.checkpointId, 'Adorable-Operation': input.operationId },
    date: now.date,
  });
}

async function refuseUnreachable(repository: Repository, { moment, projectId }: FencedMoment): Promise<void> {
  const commit = await pointOf(repository, parseCommitSha(moment.commit));
  if (commit === undefined || commit.tree !== parseTreeHash(moment.tree)) {
    throw new AdorableError('Unreachable', `Checkpoint ${moment.checkpointId} names a commit that project ${projectId}'s history does not hold with that tree: choose another checkpoint.`, {
      details: { checkpointId: moment.checkpointId, commit: moment.commit, tree: moment.tree, found: commit?.tree ?? null },
    });
  }
}
