/**
 * `restoreProject`: the whole project to one past moment. Steps: plan → fork → (freeze ∥ snapshot
 * of the code) → snapshot of the data → decide → converge → verify → final → start → open. Ends `restored` (healthy or degraded) or
 * `unchanged` (refused, cancelled, unwound). Before `decide` every step is compensated; after it
 * the run completes, or goes back through the same `converge`. A caller may retry with a new
 * operation id; the same id answers what is stored.
 */
import type { RestoreOutcome, RestoreRequest } from '../shared/contract/restore-project.ts';
import { forkTimelineId, operationCheckpointId } from '../shared/derive.ts';
import type { Lsn } from '../shared/lsn.ts';
import type { Fenced, Moment } from '../shared/moment.ts';
import type { Directions } from '../shared/ports.ts';
import type { RestorePlan } from '../shared/restore/plan.ts';
import { code, data, infra, records } from './activities.ts';
import { claimProject, concluding, currentMoment, unchanged } from './claim.ts';
import { failure } from './failure.ts';
import { deleteFork, FREEZE_LIMIT, thaw } from './freeze.ts';
import { Run } from './run.ts';
import { decide, Saga, turnBack } from './saga.ts';
import { pastDecision, settle } from './settle.ts';

export async function restoreProject(request: RestoreRequest): Promise<RestoreOutcome> {
  const run = new Run(request, 'restore');
  const claim = await claimProject(run);
  return await concluding(run, claim, async () => {
    const { projectId, operationId, fence } = claim;
    let fenced: Fenced = { projectId, operationId, fence };
    const saga = new Saga(run);
    let here = currentMoment(claim);
    const snapshotId = operationCheckpointId(operationId, 'pre-restore');
    const forkId = forkTimelineId(operationId);

    let plan: RestorePlan | undefined;
    let directions: Directions | undefined;

    try {
      await run.cancellable(async () => {
        run.phase('plan');
        // Reads and records intents only: it refuses here or never.
        plan = await saga.step('plan', () => records.planRestore({ ...request, record: fenced }), (unwinding) => records.voidCheckpoint({ ...unwinding, checkpointId: snapshotId }));
        const { mode, target } = plan;
        const forks = mode !== 'code';
        run.phase('fork');
        if (forks) {
          await saga.step('fork', () => data.forkBranch({ ...fenced, source: target, newTimelineId: forkId }), () => deleteFork(fenced, target, forkId));
        }
        // Nobody is served from here on: an outage before the decision must not keep it so.
        const lsn = await run.within(FREEZE_LIMIT, async () => {
          run.phase('freeze');
          // No app and no login writes to the worktree, so its snapshot need not wait for them to be gone.
          // The snapshot's compensations are thaw's (unseal, start) and plan's (void), and its pin's.
          const [, point] = await run.together(
            () => saga.step('freeze', () => infra.freeze({ ...fenced, moment: here, computeNext: forks }), (unwinding) => thaw(run, unwinding, here)),
            () => saga.step('snapshot code', () => code.commitDirty({ ...fenced, reason: 'pre-restore snapshot' })),
          );
          run.phase('snapshot');
          here = { ...here, commit: point.commit, tree: point.tree };
          return await saga.step('snapshot data', () => endOfData(fenced, here, forks, snapshotId), forks ? undefined
            : () => data.unpinMoment({ projectId, tenantId: here.tenantId, timelineId: here.timelineId, checkpointId: snapshotId }));
        });
        run.stopIfCancelled();
        run.phase('decide');
        const { commit, tree } = mode === 'data' ? here : target;
        const forward: Moment = { checkpointId: operationCheckpointId(operationId, 'target'), commit, tree, tenantId: here.tenantId, timelineId: forks ? forkId : here.timelineId };
        const snapshot = { checkpointId: snapshotId, commit: here.commit, tree: here.tree, lsn, sealed: forks };
        directions = { forward, back: here };
        // The snapshot is completed by the decision: neither is there without the other.
        await decide(run, { ...fenced, directions, snapshot });
      });
    } catch (error) {
      const turned = await turnBack(saga, fenced);
      fenced = turned.fenced;
      if (turned.decision === 'abort' || plan === undefined || directions === undefined) throw error;
    }

    if (plan === undefined || directions === undefined) throw failure('InvariantViolated', 'A restore decided without a plan.');
    const decided = { ...directions, keepRunning: false };
    const settled = await pastDecision(async () => {
      const result = await settle(run, fenced, decided);
      if (result.went === 'back') await dropFork(run, decided);
      return result;
    });
    if (settled.went === 'back') return { ...unchanged(settled.why), health: settled.health, degraded: settled.degraded };
    const where = plan.target.checkpointId;
    return {
      outcome: 'restored', health: settled.health, degraded: settled.degraded, receipt: settled.receipt, undo: snapshotId,
      message: `Restored to ${where}; ${snapshotId} takes it back.`,
    };
  });
}

/** The last LSN of what is left: of a stopped and sealed timeline; in `code` mode, where data never moves, of the running one. */
async function endOfData(fenced: Fenced, here: Moment, forks: boolean, checkpointId: ReturnType<typeof operationCheckpointId>): Promise<Lsn> {
  if (forks) return (await infra.stopCompute({ ...fenced, moment: here })).lsn;
  const { projectId } = fenced;
  const { tenantId, timelineId } = here;
  const { lsn } = await data.emitCheckpointLsn({ projectId, checkpointId, timelineId });
  await data.pinMoment({ projectId, tenantId, timelineId, checkpointId, lsn });
  return lsn;
}

/** A fork that nothing refers to any more: the project went back to where it came from. */
async function dropFork(run: Run, { forward, back }: Directions): Promise<void> {
  const { tenantId, timelineId } = forward;
  if (timelineId === back.timelineId) return;
  await run.step('delete fork', () => data.deleteFork({ projectId: run.request.projectId, tenantId, timelineId }), 'undoing');
}
