/** A real Temporal server for workflow tests, from the engine cache, and the workflow bundle made once. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createRuns } from '../../activities/runs/push-run.ts';
import { connectTemporal } from '../../client/temporal.ts';
import { obtain } from '../../local/engines/obtain.ts';
import { RESPONSIVE } from '../../local/temporal/flags.ts';
import { CANCEL_RUN_UPDATE, projectWorkflowId, SEARCH_ATTRIBUTES, TASK_QUEUE } from '../../shared/contract/operation.ts';
import type { OperationRequest } from '../../shared/contract/operation.ts';
import { activitiesOf } from '../faults/boundaries.ts';
import { servingWorlds } from './bench.ts';
import type { Bench, BenchRun } from './bench.ts';
import { FakeWorld } from './fake-world.ts';

export interface WorkflowBench extends Bench {
  /** Runs one workflow against a world; resolves to its result. Runs on different projects may overlap: each acts on its own world. */
  run<T>(world: FakeWorld, workflow: string, request: OperationRequest & object, during?: (handle: { id: string }) => Promise<void>): Promise<T>;
  readonly environment: TestWorkflowEnvironment;
}

/** Long enough for an unwinding to go by; where the run waits for the activity that asks, it goes on then. */
const QUIET_MS = 150;

export async function openWorkflowBench(): Promise<WorkflowBench> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const path = await obtain('temporal', () => undefined);
  const attributes = Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]);
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      extraArgs: [...attributes, ...RESPONSIVE],
    },
  });
  const workflowBundle: WorkflowBundleWithSourceMap = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)), logger: new DefaultLogger('ERROR'),
  });
  // One worker for the whole suite, so that a test costs no start.
  const { activities, serve } = servingWorlds(Object.keys(new FakeWorld().activities()));
  const runs = createRuns(() => connectTemporal(environment.address));
  const worker = await Worker.create({ connection: environment.nativeConnection, taskQueue: TASK_QUEUE, workflowBundle, activities: { ...activities, ...runs.activities } as never, shutdownGraceTime: 0 });
  const running = worker.run();
  const { client } = environment;

  async function start(workflow: string, request: OperationRequest & object): Promise<BenchRun> {
    const workflowId = projectWorkflowId(request.projectId);
    const handle = await client.workflow.start(workflow, { workflowId, taskQueue: TASK_QUEUE, args: [request] });
    return {
      workflowId, runId: handle.firstExecutionRunId,
      result: () => handle.result(),
      terminate: async () => { await handle.terminate('injected'); },
      cancel: async (reason) => { await handle.executeUpdate(CANCEL_RUN_UPDATE, { args: [{ operationId: request.operationId, reason }] }); },
      quiet: () => Promise.race([handle.result().then(() => undefined, () => undefined), sleep(QUIET_MS)]),
      activities: () => activitiesOf(client, workflowId, handle.firstExecutionRunId),
    };
  }

  return {
    environment, serve, start,
    async run<T>(world: FakeWorld, workflow: string, request: OperationRequest & object, during?: (handle: { id: string }) => Promise<void>) {
      serve(request.projectId, world);
      const handle = await start(workflow, request);
      await during?.({ id: handle.workflowId });
      return (await handle.result()) as T;
    },
    async close() {
      worker.shutdown();
      await running;
      await runs.close();
      await environment.teardown();
    },
  };
}
