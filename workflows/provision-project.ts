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
import { Saga, turning } from './saga.ts';

export async function provisionProject(request: ProvisionRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'provision');
  await records.ensureProject(request);
  const claim = await claimProject(run);
  return await concluding(run, claim, async () => {
    const { projectId, operationId, fence } = claim;
    const fenced: Fenced = { projectId, operationId, fence };
    const [tenantId, timelineId] = [tenantIdOf(projectId), firstTimelineId(projectId)];
    const saga = new Saga(run);
    try {
      await run.cancellable(async () => {
        run.phase('provision');
        const point = await saga.step('repository', () => code.ensureRepository(fenced), async (unwinding) => {
          await code.deleteRepository(unwinding);
          await records.archiveProject(unwinding);
        });
        const moment: Moment = { checkpointId: operationCheckpointId(operationId, 'target'), ...point, tenantId, timelineId };
        await saga.step('timeline', () => data.ensureTenant({ ...fenced, tenantId, timelineId }), (unwinding) => data.deleteTenant({ ...unwinding, tenantId }));
        // Undone by archiving the project, which voids its checkpoints.
        await saga.step('intent', () => records.recordCheckpointIntent({ ...fenced, moment, kind: 'provisioned', parentId: null, declaredFrom: 'rows' }));
        await saga.step('namespace', () => infra.ensureNamespace(fenced), (unwinding) => infra.deleteNamespace(unwinding));
        await saga.step('secrets', () => infra.ensureSecrets({ ...fenced, moment }));
        await saga.step('compute', () => infra.startCompute({ ...fenced, moment }));
        await saga.step('schema', () => data.convergeSchema({ ...fenced, moment }));
        await saga.step('infra', () => infra.convergeInfra({ ...fenced, moment, keepRunning: true }));
        await saga.step('open', () => infra.open(fenced));
        await CancellationScope.nonCancellable(() => saga.step('checkpoint', () => completeRunning(fenced, moment, true)));
      });
    } catch (error) {
      await turning(async () => { await saga.unwind({ ...fenced, ...(await records.raiseOperationFence(fenced)) }); });
      throw error;
    }
    return { outcome: 'provisioned', health: 'healthy', degraded: [], message: `Project ${projectId} is ready.` };
  });
}
