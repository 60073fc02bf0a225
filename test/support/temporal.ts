/** A real Temporal server for workflow tests, from the engine cache, and the workflow bundle made once. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { fileURLToPath } from 'node:url';
import { createRuns } from '../../activities/runs/push-run.ts';
import { connectTemporal } from '../../client/temporal.ts';
import { obtain } from '../../local/engines/obtain.ts';
import { projectWorkflowId, SEARCH_ATTRIBUTES, TASK_QUEUE } from '../../shared/contract/operation.ts';
import type { OperationRequest } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { FakeWorld } from './fake-world.ts';

export interface WorkflowBench {
  /** Runs one workflow against a world; resolves to its result. Runs on different projects may overlap: each acts on its own world. */
  run<T>(world: FakeWorld, workflow: string, request: OperationRequest & object, during?: (handle: { id: string }) => Promise<void>): Promise<T>;
  /** From here on, activities of this project act on this world. */
  serve(projectId: ProjectId, world: FakeWorld): void;
  readonly environment: TestWorkflowEnvironment;
  close(): Promise<void>;
}

export async function openWorkflowBench(): Promise<WorkflowBench> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const path = await obtain('temporal', () => undefined);
  const attributes = Object.values(SEARCH_ATTRIBUTES).flatMap((name) => ['--search-attribute', `${name}=Keyword`]);
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path },
      extraArgs: [
        ...attributes,
        '--dynamic-config-value', 'history.transferProcessorMaxPollRPS=10000', '--dynamic-config-value', 'history.timerProcessorMaxPollRPS=10000',
        '--dynamic-config-value', 'history.visibilityProcessorMaxPollRPS=10000', '--dynamic-config-value', 'history.timerProcessorMaxTimeShift="20ms"',
      ],
    },
  });
  const workflowBundle: WorkflowBundleWithSourceMap = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)), logger: new DefaultLogger('ERROR'),
  });
  type Acts = Record<string, (input: { projectId: ProjectId }) => unknown>;
  const worlds = new Map<ProjectId, FakeWorld>();
  // One worker for the whole suite, so that a test costs no start: it acts on the world of the input's project.
  const act = (name: string) => (input: { projectId: ProjectId }) => {
    const world = worlds.get(input.projectId);
    if (world === undefined) throw new Error(`${name} names no project that runs here`);
    return (world.activities() as unknown as Acts)[name]?.(input);
  };
  const delegate = Object.fromEntries(Object.keys(new FakeWorld().activities()).map((name) => [name, act(name)]));
  const runs = createRuns(() => connectTemporal(environment.address));
  const worker = await Worker.create({ connection: environment.nativeConnection, taskQueue: TASK_QUEUE, workflowBundle, activities: { ...delegate, ...runs.activities }, shutdownGraceTime: 0 });
  const running = worker.run();
  return {
    environment,
    serve: (projectId, world) => { worlds.set(projectId, world); },
    async run<T>(world: FakeWorld, workflow: string, request: OperationRequest & object, during?: (handle: { id: string }) => Promise<void>) {
      worlds.set(request.projectId, world);
      const id = projectWorkflowId(request.projectId);
      const handle = await environment.client.workflow.start(workflow, { workflowId: id, taskQueue: TASK_QUEUE, args: [request] });
      await during?.({ id });
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
