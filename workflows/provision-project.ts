/**
 * `provisionProject`: rows, repository, tenant and first timeline, namespace, compute, first
 * checkpoint. Ends `provisioned`, or `unchanged` with everything taken down again.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { ProvisionRequest } from '../shared/contract/life.ts';
import type { OperationOutcome } from '../shared/contract/operation.ts';
import { firstTimelineId, operationCheckpointId, tenantIdOf } from '../shared/derive.ts';
import type { Fenced, Moment } from '../shared/moment.ts';
import { code, data, infra, records } from './activities.ts';
import { claimProject, concluding } from './claim.ts';
import { completeRunning } from './generation-tail.ts';
import { Run } from './run.ts';
import { turning } from './saga.ts';
import { deprovision } from './teardown.ts';

export async function provisionProject(request: ProvisionRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'provision');
  await records.ensureProject(request);
  const claim = await claimProject(run);
  return await concluding(run, claim, async () => {
    const { projectId, operationId, fence } = claim;
    const fenced: Fenced = { projectId, operationId, fence };
    const [tenantId, timelineId] = [tenantIdOf(projectId), firstTimelineId(projectId)];
    try {
      await run.cancellable(async () => {
        run.phase('provision');
        const point = await run.step('repository', () => code.ensureRepository(fenced));
        const moment: Moment = { checkpointId: operationCheckpointId(operationId, 'target'), ...point, tenantId, timelineId };
        await run.step('timeline', () => data.ensureTenant({ ...fenced, tenantId, timelineId }));
        await run.step('intent', () => records.recordCheckpointIntent({ ...fenced, moment, kind: 'provisioned', parentId: null, declaredFrom: 'rows' }));
        await run.step('namespace', () => infra.ensureNamespace(fenced));
        await run.step('secrets', () => infra.ensureSecrets({ ...fenced, moment }));
        await run.step('compute', () => infra.startCompute({ ...fenced, moment }));
        await run.step('schema', () => data.convergeSchema({ ...fenced, moment }));
        await run.step('infra', () => infra.convergeInfra({ ...fenced, moment, keepRunning: true }));
        await run.step('open', () => infra.open(fenced));
        await CancellationScope.nonCancellable(() => run.step('checkpoint', () => completeRunning(fenced, moment, true)));
      });
    } catch (error) {
      // One compensation for all steps: what is taken down builds on what is taken down after it, so a failure ends it there.
      await turning(async () => { await deprovision(run, { ...fenced, ...(await records.raiseOperationFence(fenced)) }, null, 'undoing'); });
      throw error;
    }
    return { outcome: 'provisioned', health: 'healthy', degraded: [], message: `Project ${projectId} is ready.` };
  });
}
