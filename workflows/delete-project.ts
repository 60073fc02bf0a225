/**
 * `deleteProject`: teardown of everything the project owns, in an order that stops writers first.
 * Decided at once: a half-deleted project is finished, never revived. Ends `deleted`.
 */
import type { OperationOutcome, OperationRequest } from '../shared/contract/operation.ts';
import { claimProject, concluding } from './claim.ts';
import { Run } from './run.ts';
import { decide } from './saga.ts';
import { pastDecision } from './settle.ts';
import { deprovision } from './teardown.ts';

export async function deleteProject(request: OperationRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'delete');
  const claim = await claimProject(run);
  return await concluding(run, claim, async () => {
    const { projectId, operationId, fence } = claim;
    const fenced = { projectId, operationId, fence };
    await decide(run, fenced);
    run.phase('teardown');
    await pastDecision(() => deprovision(run, fenced, claim.current));
    return { outcome: 'deleted', health: 'healthy', degraded: [], message: `Project ${projectId} is gone; its rows are archived.` };
  });
}
