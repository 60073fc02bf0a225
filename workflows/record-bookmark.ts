/** `recordBookmark`: a `manual` checkpoint of the running project: worktree committed, exact LSN, pinned. */
import { CancellationScope } from '@temporalio/workflow';
import type { BookmarkRequest } from '../shared/contract/life.ts';
import type { OperationOutcome } from '../shared/contract/operation.ts';
import { operationCheckpointId } from '../shared/derive.ts';
import { data, records } from './activities.ts';
import { claimProject, concluding, currentMoment } from './claim.ts';
import type { Served } from './converge.ts';
import { completeRunning } from './generation-tail.ts';
import { Run } from './run.ts';
import { followHead, saveWorktree } from './saved-worktree.ts';
import { Saga, turnBack } from './saga.ts';

export async function recordBookmark(request: BookmarkRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'bookmark');
  const claim = await claimProject(run);
  return await concluding(run, claim, async () => await CancellationScope.nonCancellable(async () => {
    const { projectId, operationId, fence } = claim;
    const fenced = { projectId, operationId, fence };
    const current = currentMoment(claim);
    const checkpointId = operationCheckpointId(operationId, 'target');
    const saga = new Saga(run);
    let served: Served = { health: 'healthy', degraded: [] };
    try {
      const { commit, tree, committed } = await saveWorktree(run, fenced, { saga, current, reason: 'bookmark' });
      const moment = { ...current, commit, tree, checkpointId };
      // What is recorded is what runs.
      if (committed) served = await followHead(run, fenced, current);
      await saga.step('intent', () => records.recordCheckpointIntent({ ...fenced, moment, kind: 'manual', parentId: current.checkpointId, declaredFrom: 'rows', label: request.label }), async (unwinding) => {
        await data.unpinMoment({ projectId, tenantId: moment.tenantId, timelineId: moment.timelineId, checkpointId });
        await records.voidCheckpoint({ ...unwinding, checkpointId });
      });
      await saga.step('checkpoint', () => completeRunning(fenced, moment, true));
    } catch (error) {
      // A completed checkpoint decided the operation, whatever became of its reply.
      const { decision } = await turnBack(saga, fenced);
      if (decision === 'abort') throw error;
    }
    return { outcome: 'recorded', ...served, message: `Recorded ${checkpointId}: ${request.label}.`, undo: checkpointId };
  }));
}
