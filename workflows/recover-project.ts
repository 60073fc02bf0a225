/** `recoverProject`: claims the project, which finishes what an earlier run abandoned, and nothing else. */
import type { OperationOutcome, OperationRequest } from '../shared/contract/operation.ts';
import { claimProject, concluding } from './claim.ts';
import { Run } from './run.ts';

export async function recoverProject(request: OperationRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'recover');
  const claim = await claimProject(run);
  return await concluding(run, claim, () => Promise.resolve({
    outcome: 'recovered', health: 'healthy', degraded: [], message: 'Nothing is left open on this project.',
  }));
}
