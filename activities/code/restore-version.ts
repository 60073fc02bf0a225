/**
 * The one way HEAD moves (I1): to the moment's tree, in a commit that adds to history. The ref
 * moves first, together with a note of what the worktree still is; then the worktree follows, and
 * whoever finds the note finishes that. At the end the checkouts that pods read are there.
 */
import { AdorableError } from '../../shared/errors.ts';
import { parseCommitSha, parseTreeHash } from '../../shared/ids.ts';
import type { CommitSha } from '../../shared/ids.ts';
import type { FencedMoment } from '../../shared/moment.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import type { CodeDeps } from './code-deps.ts';
import { withFence } from './fence.ts';
import { followWorktree } from './follow-worktree.ts';
import { FOLLOWING, MAIN, makeCommit, openRepository, positionOf, resolveAll } from './repository.ts';
import type { Repository } from './repository.ts';
import { serveApps } from './serve-apps.ts';

export async function restoreVersion(deps: CodeDeps, input: FencedMoment): Promise<CommitPoint> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const parent = await reachableParent(repository, input);
  const result = await withFence(repository, input, async (writer) => {
    const date = await deps.operationTime(input.operationId);
    const { head, following } = await positionOf(repository);
    const target = await targetOf(repository, input, { head, parent, date });
    const base = following ?? head.commit;
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
  await serveApps(deps, { projectId: input.projectId, tree: result.tree });
  return result;
}

async function targetOf(repository: Repository, input: FencedMoment, now: { head: CommitPoint; parent: string | undefined; date: Date }): Promise<CommitPoint> {
  const { moment } = input;
  if (now.head.tree === moment.tree) return now.head;
  if (now.parent === now.head.commit) return { commit: moment.commit, tree: moment.tree };
  return await makeCommit(repository, {
    tree: moment.tree,
    parent: now.head.commit,
    subject: `Return to checkpoint ${moment.checkpointId}`,
    trailers: { 'Adorable-Moment': moment.commit, 'Adorable-Checkpoint': moment.checkpointId, 'Adorable-Operation': input.operationId },
    date: now.date,
  });
}

/** Refuses a moment that history does not hold; answers its commit's first parent. */
async function reachableParent(repository: Repository, { moment, projectId }: FencedMoment): Promise<string | undefined> {
  const wanted: CommitSha = parseCommitSha(moment.commit);
  const [commit, tree, parent] = await resolveAll(repository, [`${wanted}^{commit}`, `${wanted}^{tree}`, `${wanted}^1`]);
  if (commit === undefined || tree !== parseTreeHash(moment.tree)) {
    throw new AdorableError('Unreachable', `Checkpoint ${moment.checkpointId} names a commit that project ${projectId}'s history does not hold with that tree: choose another checkpoint.`, {
      details: { checkpointId: moment.checkpointId, commit: moment.commit, tree: moment.tree, found: tree ?? null },
    });
  }
  return parent;
}
