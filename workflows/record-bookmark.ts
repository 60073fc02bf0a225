/** `recordBookmark`: a `manual` checkpoint of the running project: worktree committed, exact LSN, pinned. */
import { CancellationScope } from '@temporalio/workflow';
import type { BookmarkRequest } from '../shared/contract/life.ts';
import type { OperationOutcome } from '../shared/contract/operation.ts';
import { operationCheckpointId } from '../shared/derive.ts';
import { code, records } from './activities.ts';
import { claimProject, concluding, currentMoment } from './claim.ts';
import { completeRunning } from './generation-tail.ts';
import { Run } from './run.ts';

export async function recordBookmark(request: BookmarkRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'bookmark');
  const claim = await claimProject(run);
  return await concluding(run, claim, async () => await CancellationScope.nonCancellable(async () => {
    const { projectId, operationId, fence } = claim;
    const fenced = { projectId, operationId, fence };
    const current = currentMoment(claim);
    const point = await run.step('save worktree', () => code.commitDirty({ ...fenced, reason: 'bookmark' }));
    const moment = { ...current, ...point, checkpointId: operationCheckpointId(operationId, 'target') };
    await run.step('intent', () => records.recordCheckpointIntent({ ...fenced, moment, kind: 'manual', parentId: current.checkpointId, declaredFrom: 'rows', label: request.label }));
    await run.step('checkpoint', () => completeRunning(fenced, moment, true));
    return { outcome: 'recorded', health: 'healthy', degraded: [], message: `Recorded ${moment.checkpointId}: ${request.label}.`, undo: moment.checkpointId };
  }));
}
