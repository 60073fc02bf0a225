/**
 * A generation after its decision: converge to the new commit (which makes logins, migrates and
 * serves the tree), start in tiers, seed what the services declare, complete the checkpoint. Also
 * run by whoever finishes an abandoned generation.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { Fenced } from '../shared/moment.ts';
import { code, data, infra, records } from './activities.ts';
import type { Run } from './run.ts';
import { settle } from './settle.ts';
import type { Directions, Settled } from './settle.ts';

export async function settleGeneration(run: Run, fenced: Fenced, directions: Directions): Promise<Settled> {
  return await CancellationScope.nonCancellable(async () => {
    const made = await records.pendingOf(fenced);
    const settled = await settle(run, fenced, { ...directions, keepRunning: true });
    if (settled.went === 'back') {
      const unwinding = { ...fenced, ...(await records.raiseOperationFence(fenced)) };
      await dropMade(run, unwinding, made);
      await code.dropRun(unwinding);
      return settled;
    }
    await run.step('seed', () => infra.seedServices({ ...fenced, services: made.services }));
    await run.step('checkpoint', () => completeRunning(fenced, directions.forward));
    await code.dropRun(fenced);
    return settled;
  });
}

/** Undoes what a generation made before its decision: all of it new, so nothing of anybody's is lost. */
export async function dropMade(run: Run, unwinding: Fenced, made: Awaited<ReturnType<typeof records.pendingOf>>): Promise<void> {
  for (const appId of made.apps) {
    await run.step(`drop ${appId}`, async () => {
      await data.dropAppSchema({ ...unwinding, appId });
      await records.dropPendingApp({ ...unwinding, appId });
    }, 'undoing');
  }
  for (const serviceId of made.services) {
    await run.step(`drop ${serviceId}`, () => data.dropServiceSchema({ ...unwinding, serviceId }), 'undoing');
  }
}

/** Takes the LSN of the running timeline for a recorded intent, pins it and completes it. */
export async function completeRunning(fenced: Fenced, moment: Directions['forward'], makeCurrent = false): Promise<void> {
  const { projectId } = fenced;
  const { checkpointId, tenantId, timelineId, commit, tree } = moment;
  const { lsn } = await data.emitCheckpointLsn({ projectId, checkpointId, timelineId });
  await data.pinMoment({ projectId, tenantId, timelineId, checkpointId, lsn });
  await records.completeCheckpoint({ ...fenced, checkpointId, lsn, sealed: false, commit, tree, makeCurrent });
}
