/**
 * How every operation on a project begins and ends: the row is claimed with the next fence, what
 * an earlier run abandoned is finished first, and the outcome is written down before the run closes.
 */
import { CancellationScope, workflowInfo } from '@temporalio/workflow';
import type { OperationOutcome } from '../shared/contract/operation.ts';
import type { Moment } from '../shared/moment.ts';
import type { Claim } from '../shared/ports.ts';
import { records } from './activities.ts';
import { failure, toFailure } from './failure.ts';
import { finishAbandoned } from './finish-abandoned.ts';
import type { Run } from './run.ts';
import { pastDecision } from './settle.ts';

export async function claimProject(run: Run): Promise<Claim> {
  const { projectId, operationId } = run.request;
  return await CancellationScope.nonCancellable(async () => {
    for (;;) {
      const claim = await run.step('claim', () => records.claimOperation({ projectId, operationId, kind: run.kind, runId: workflowInfo().runId }));
      if (claim.abandoned === null) return claim;
      const { abandoned } = claim;
      if (run.kind === 'delete') {
        // Whatever it left between, all of it goes: an operation that cannot be finished never blocks a delete.
        await records.closeOperation({ projectId, fence: claim.fence, operationId: abandoned.operationId, outcome: 'unchanged', message: `Its run ended without an outcome; ${operationId} deletes the project.` });
        continue;
      }
      const left = await run.step(`finish abandoned ${abandoned.operationId}`, () => pastDecision(() => finishAbandoned(run, claim, abandoned)));
      if (left === 'gone') throw failure('NotFound', `Project ${projectId} is gone: ${abandoned.operationId}, which had been left open, was finished.`);
    }
  });
}

/** Where the project is; a project that was never provisioned has no operations but that one. */
export function currentMoment(claim: Claim): Moment {
  if (claim.current === null) throw failure('PreconditionFailed', `Project ${claim.projectId} was never provisioned: create it with \`adorable new\`.`);
  return claim.current;
}

export type Ending = Omit<OperationOutcome, 'operationId'>;

/**
 * Runs an operation's body and writes its outcome. A body that throws has unwound already: it is
 * `unchanged` with its failure's type, except where something could not be undone.
 */
export async function concluding(run: Run, claim: Claim, body: () => Promise<Ending>): Promise<OperationOutcome> {
  const { projectId, operationId } = run.request;
  let ending: Ending;
  try {
    ending = await body();
  } catch (error) {
    const { type, message } = toFailure(error);
    if (type === 'CompensationFailed') throw error;
    ending = unchanged({ type, message: type === 'Cancelled' && run.cancelReason !== undefined ? `${message} Reason: ${run.cancelReason}` : message });
  }
  const { outcome, message, ...details } = ending;
  await CancellationScope.nonCancellable(() => run.step('close', () => records.closeOperation({ projectId, operationId, fence: claim.fence, outcome, message, details })));
  run.phase(outcome);
  return { operationId, ...ending };
}

export function unchanged(why: { type: string; message: string }): Ending {
  return { outcome: 'unchanged', health: 'healthy', degraded: [], message: why.message, failure: why.type };
}
