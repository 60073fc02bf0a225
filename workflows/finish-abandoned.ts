/**
 * Finishes an operation whose run was terminated or reset: from its row alone it is clear where
 * the project must go. No decision: undone. `target`: gone to. `back`: gone back. The heir works
 * under its own, newer fence, so that nothing of the dead run can land any more.
 */
import { forkTimelineId, operationCheckpointId } from '../shared/derive.ts';
import type { Fenced } from '../shared/moment.ts';
import type { Abandoned, Claim } from '../shared/ports.ts';
import { code, data, records } from './activities.ts';
import { converge, serve } from './converge.ts';
import { dropMade, settleGeneration } from './generation-tail.ts';
import type { Run } from './run.ts';
import { goBack, settle } from './settle.ts';
import { deprovision } from './teardown.ts';

export async function finishAbandoned(run: Run, claim: Claim, abandoned: Abandoned): Promise<void> {
  const heir: Fenced = { projectId: claim.projectId, operationId: abandoned.operationId, fence: claim.fence };
  const decision = abandoned.decision ?? (await records.decide({ ...heir, decision: 'abort' })).decision;
  const outcome = decision === 'abort' ? await undo(run, heir, abandoned) : await complete(run, heir, abandoned, decision);
  await records.closeOperation({ ...heir, outcome, message: `Its run ended without an outcome; ${claim.operationId} finished it.` });
}

async function undo(run: Run, heir: Fenced, abandoned: Abandoned): Promise<string> {
  switch (abandoned.kind) {
    case 'provision':
      await deprovision(run, heir, abandoned.back);
      return 'unchanged';
    case 'generate':
      await dropMade(run, heir, await records.pendingOf(heir));
      await code.dropRun(heir);
      await records.voidCheckpoint({ ...heir, checkpointId: operationCheckpointId(heir.operationId, 'pre-generation') });
      return 'unchanged';
    case 'restore': {
      if (abandoned.back !== null) {
        const point = await code.commitDirty({ ...heir, reason: 'abandoned restore' });
        const back = { ...abandoned.back, commit: point.commit, tree: point.tree };
        await converge(run, heir, back, { keepRunning: false });
        await serve(run, heir, back);
        await data.deleteFork({ projectId: heir.projectId, tenantId: back.tenantId, timelineId: forkTimelineId(heir.operationId) });
      }
      await records.voidCheckpoint({ ...heir, checkpointId: operationCheckpointId(heir.operationId, 'pre-restore') });
      return 'unchanged';
    }
    case 'delete':
    case 'bookmark':
    case 'recover':
      return 'unchanged';
  }
}

async function complete(run: Run, heir: Fenced, abandoned: Abandoned, decision: 'target' | 'back'): Promise<string> {
  if (abandoned.kind === 'delete') {
    await deprovision(run, heir, abandoned.back);
    return 'deleted';
  }
  const { forward, back } = abandoned;
  if (forward === null || back === null) return 'recorded';
  const directions = { forward, back };
  if (decision === 'back') {
    await goBack(run, heir, { ...directions, keepRunning: abandoned.kind === 'generate' });
    if (forward.timelineId !== back.timelineId) await data.deleteFork({ projectId: heir.projectId, tenantId: forward.tenantId, timelineId: forward.timelineId });
    return 'unchanged';
  }
  if (abandoned.kind === 'generate') return (await settleGeneration(run, heir, directions)).went === 'forward' ? 'generated' : 'unchanged';
  if (abandoned.final) {
    await serve(run, heir, forward);
    return 'restored';
  }
  return (await settle(run, heir, { ...directions, keepRunning: false })).went === 'forward' ? 'restored' : 'unchanged';
}
