/**
 * A generation after its decision: converge to the new commit (which makes logins, migrates and
 * serves the tree), start in tiers, seed what the services declare, complete the checkpoint. Also
 * run by whoever finishes an abandoned generation.
 */
import type { Lsn } from '../shared/lsn.ts';
import type { Fenced } from '../shared/moment.ts';
import type { Directions } from '../shared/ports.ts';
import { code, data, infra, records } from './activities.ts';
import type { Run } from './run.ts';
import { goBack, settle } from './settle.ts';
import type { Settled } from './settle.ts';

type Made = Awaited<ReturnType<typeof records.pendingOf>>;

export async function settleGeneration(run: Run, fenced: Fenced, directions: Directions): Promise<Settled> {
  const made = await records.pendingOf(fenced);
  const settled = await settle(run, fenced, { ...directions, keepRunning: !isFrozen(directions) });
  if (settled.went === 'back') {
    await dropMade(run, settled.fenced, made);
    return settled;
  }
  await run.step('seed', () => infra.seedServices({ ...settled.fenced, services: made.services }));
  await run.step('checkpoint', () => completeRunning(settled.fenced, directions.forward));
  await dropSnapshot(run, settled.fenced, directions);
  await code.dropRun(settled.fenced);
  return settled;
}

/** A generation whose row says `back`: the moment before it, and nothing of what it made. */
export async function leaveGeneration(run: Run, fenced: Fenced, directions: Directions): Promise<void> {
  const made = await records.pendingOf(fenced);
  await goBack(run, fenced, { ...directions, keepRunning: !isFrozen(directions) });
  await dropMade(run, fenced, made);
}

/** A generation that migrates an existing schema froze the project and kept its data as a fork: that is where it goes back to. */
const isFrozen = ({ forward, back }: Directions): boolean => forward.timelineId !== back.timelineId;

/** Final: nothing goes back to the fork any more. */
async function dropSnapshot(run: Run, { projectId }: Fenced, directions: Directions): Promise<void> {
  const { tenantId, timelineId } = directions.back;
  if (isFrozen(directions)) await run.step('delete fork', () => data.deleteFork({ projectId, tenantId, timelineId }));
}

/** Undoes what a generation made: all of it new, so nothing of anybody's is lost. */
export async function dropMade(run: Run, unwinding: Fenced, made: Made): Promise<void> {
  for (const appId of made.apps) {
    await run.step(`drop ${appId}`, async () => {
      await data.dropAppSchema({ ...unwinding, appId });
      await records.dropPendingApp({ ...unwinding, appId });
    }, 'undoing');
  }
  for (const serviceId of made.services) {
    await run.step(`drop ${serviceId}`, () => data.dropServiceSchema({ ...unwinding, serviceId }), 'undoing');
  }
  await code.dropRun(unwinding);
}

/** Takes the LSN of the running timeline for a recorded intent, pins it and completes it. */
export async function completeRunning(fenced: Fenced, moment: Directions['forward'], makeCurrent = false): Promise<Lsn> {
  const { projectId } = fenced;
  const { checkpointId, tenantId, timelineId, commit, tree } = moment;
  const { lsn } = await data.emitCheckpointLsn({ projectId, checkpointId, timelineId });
  // An earlier run may have pinned another LSN for this checkpoint and died before recording it.
  await data.unpinMoment({ projectId, tenantId, timelineId, checkpointId });
  await data.pinMoment({ projectId, tenantId, timelineId, checkpointId, lsn });
  await records.completeCheckpoint({ ...fenced, checkpointId, lsn, sealed: false, commit, tree, makeCurrent });
  return lsn;
}
