/**
 * A freeze and what takes it back, for restores and for generations that change an existing schema:
 * nobody is served, every login but ours is refused, and an outage must not keep it so.
 */
import { isCancellation } from '@temporalio/workflow';
import { forkTimelineId } from '../shared/derive.ts';
import type { AppId, TimelineId } from '../shared/ids.ts';
import type { Fenced, Moment, RecordedMoment } from '../shared/moment.ts';
import { code, data, infra } from './activities.ts';
import { converge, serve } from './converge.ts';
import type { Run } from './run.ts';
import type { Saga } from './saga.ts';

export const FREEZE_LIMIT = '3 minutes';

/** Takes a freeze back: the project's own moment, served again. What the freeze had not reached yet goes on running. */
export async function thaw(run: Run, unwinding: Fenced, here: Moment): Promise<void> {
  const point = await code.commitDirty({ ...unwinding, reason: 'unwound' });
  const moment = { ...here, commit: point.commit, tree: point.tree };
  await converge(run, unwinding, moment, { keepRunning: true });
  await serve(run, unwinding, moment);
}

/** Sent again until it answers, so that no attempt can land after the delete; then deleted. */
export async function deleteFork(fenced: Fenced, source: RecordedMoment, newTimelineId: TimelineId): Promise<void> {
  const { projectId } = fenced;
  try {
    await data.forkBranch({ ...fenced, source, newTimelineId });
  } catch (error) {
    // Refused for good: then no fork can appear either.
    if (isCancellation(error)) throw error;
  }
  await data.deleteFork({ projectId, tenantId: source.tenantId, timelineId: newTimelineId });
}

export interface Migrating {
  readonly forward: Moment;
  /** The running project, at its pre-generation checkpoint. */
  readonly back: RecordedMoment;
  readonly created: readonly AppId[];
}

/**
 * A generation that changes an existing schema: rehearsed on a throw-away fork, then frozen, then its
 * data kept as a fork at an LSN that nobody can write after (I3). The compute goes on running, since
 * it is what migrates. Answers where the project goes back to: that fork, or, with no such change,
 * the running timeline.
 */
export async function freezeForMigration(run: Run, saga: Saga, fenced: Fenced, { forward, back, created }: Migrating): Promise<Moment> {
  const { lsn: _earlier, sealed: _running, ...here } = back;
  // The rehearsal's fork goes with its answer.
  const { changes } = await saga.step('rehearse', () => data.rehearseMigrations({ ...fenced, moment: forward, at: back, created }));
  if (changes.length === 0) return here;
  const newTimelineId = forkTimelineId(fenced.operationId);
  return await run.within(FREEZE_LIMIT, async () => {
    run.phase('freeze');
    await saga.step('freeze', () => infra.freeze({ ...fenced, moment: here, computeNext: false }), (unwinding) => thaw(run, unwinding, here));
    run.phase('snapshot');
    const { lsn } = await saga.step('snapshot data', () => data.emitCheckpointLsn({ projectId: fenced.projectId, checkpointId: here.checkpointId, timelineId: here.timelineId }));
    const source: RecordedMoment = { ...here, lsn, sealed: false };
    await saga.step('fork', () => data.forkBranch({ ...fenced, source, newTimelineId }), () => deleteFork(fenced, source, newTimelineId));
    return { ...here, timelineId: newTimelineId };
  });
}
