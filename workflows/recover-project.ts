/** `recoverProject`: claims the project, which finishes what an earlier run abandoned, and nothing else. */
import type { OperationOutcome, OperationRequest } from '../shared/contract/operation.ts';
import type { Claim } from '../shared/ports.ts';
import { claimProject, concluding } from './claim.ts';
import { toFailure } from './failure.ts';
import { Run } from './run.ts';

export async function recoverProject(request: OperationRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'recover');
  let claim: Claim;
  try {
    claim = await claimProject(run);
  } catch (error) {
    // What was left open was the project's own end: it has come.
    const { type, message } = toFailure(error);
    if (type !== 'NotFound' || run.progress().steps.length < 2) throw error;
    return { operationId: request.operationId, outcome: 'recovered', health: 'healthy', degraded: [], message };
  }
  return await concluding(run, claim, () => Promise.resolve({
    outcome: 'recovered', health: 'healthy', degraded: [], message: 'Nothing is left open on this project.',
  }));
}
