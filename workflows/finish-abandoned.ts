/**
 * Finishes an operation whose run was terminated or reset: from its row alone it is clear where
 * the project must go. No decision: undone. `target`: gone to. `back`: gone back. The heir works
 * under its own, newer fence, so that nothing of the dead run can land any more.
 */
import { forkTimelineId, operationCheckpointId } from '../shared/derive.ts';
import type { Fenced, Moment } from '../shared/moment.ts';
import type { Abandoned, Claim } from '../shared/ports.ts';
import { data, records } from './activities.ts';
import { serve } from './converge.ts';
import { thaw } from './freeze.ts';
import { dropMade, leaveGeneration, settleGeneration } from './generation-tail.ts';
import type { Run } from './run.ts';
import { followHead } from './saved-worktree.ts';
import { goBack, settle } from './settle.ts';
import { deprovision } from './teardown.ts';

/** What became of it: `gone` when nothing is left of the project to operate on. */
export async function finishAbandoned(run: Run, claim: Claim, abandoned: Abandoned): Promise<'here' | 'gone'> {
  const heir: Fenced = { projectId: claim.projectId, operationId: abandoned.operationId, fence: claim.fence };
  const decision = abandoned.decision ?? (await records.decide({ ...heir, decision: 'abort' })).decision;
  const outcome = decision === 'abort' ? await undo(run, heir, abandoned) : await complete(run, heir, abandoned, decision);
  await records.closeOperation({ ...heir, outcome, message: `Its run ended without an outcome; ${claim.operationId} finished it.` });
  return outcome === 'deleted' || (abandoned.kind === 'provision' && decision === 'abort') ? 'gone' : 'here';
}

async function undo(run: Run, heir: Fenced, abandoned: Abandoned): Promise<string> {
  const { projectId, operationId } = heir;
  switch (abandoned.kind) {
    case 'provision':
      await deprovision(run, heir, abandoned.back, 'undoing');
      return 'unchanged';
    case 'generate':
      // Whether it had frozen the project its row does not say: what runs is taken to where it was either way.
      if (abandoned.current !== null) await thaw(run, heir, abandoned.current);
      await dropMade(run, heir, await records.pendingOf(heir));
      if (abandoned.current !== null) await data.deleteFork({ projectId, tenantId: abandoned.current.tenantId, timelineId: forkTimelineId(operationId) });
      await forget(heir, abandoned.current, 'pre-generation');
      return 'unchanged';
    case 'bookmark':
      await forget(heir, abandoned.current, 'target');
      if (abandoned.current !== null) await followHead(run, heir, abandoned.current);
      return 'unchanged';
    case 'restore': {
      if (abandoned.back !== null) {
        await thaw(run, heir, abandoned.back);
        await data.deleteFork({ projectId, tenantId: abandoned.back.tenantId, timelineId: forkTimelineId(operationId) });
      }
      // In mode `code` the snapshot lies on the running timeline, and is pinned there.
      await forget(heir, abandoned.forward?.timelineId === abandoned.back?.timelineId ? abandoned.back : null, 'pre-restore');
      return 'unchanged';
    }
    case 'delete':
    case 'recover':
    // What it had not reaped yet, the next sweep does.
    case 'sweep':
      return 'unchanged';
  }
}

/** A checkpoint that nobody will complete, and its pin where it lies on the running timeline. */
async function forget(heir: Fenced, current: Moment | null, role: string): Promise<void> {
  const checkpointId = operationCheckpointId(heir.operationId, role);
  if (current !== null) await data.unpinMoment({ projectId: heir.projectId, tenantId: current.tenantId, timelineId: current.timelineId, checkpointId });
  await records.voidCheckpoint({ ...heir, checkpointId });
}

async function complete(run: Run, heir: Fenced, abandoned: Abandoned, decision: 'target' | 'back'): Promise<string> {
  if (abandoned.kind === 'delete') {
    await deprovision(run, heir, abandoned.back);
    return 'deleted';
  }
  const { forward, back } = abandoned;
  if (forward === null || back === null) return abandoned.kind === 'provision' ? 'provisioned' : 'recorded';
  const directions = { forward, back };
  if (abandoned.kind === 'generate') {
    if (decision === 'target') return (await settleGeneration(run, heir, directions)).went === 'forward' ? 'generated' : 'unchanged';
    await leaveGeneration(run, heir, directions);
    return 'unchanged';
  }
  if (abandoned.final && decision === 'target') {
    await serve(run, heir, forward);
    return 'restored';
  }
  if (decision === 'target' && (await settle(run, heir, { ...directions, keepRunning: false })).went === 'forward') return 'restored';
  if (decision === 'back') await goBack(run, heir, { ...directions, keepRunning: false });
  // Nothing refers to the fork any more: the project went back to where it came from.
  if (forward.timelineId !== back.timelineId) await data.deleteFork({ projectId: heir.projectId, tenantId: forward.tenantId, timelineId: forward.timelineId });
  return 'unchanged';
}
