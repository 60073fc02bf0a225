/**
 * A worker as it runs everywhere: the workflows bundled once, every activity of the composition
 * behind the heartbeat interceptor. Stops cleanly on a shutdown signal: running activities are
 * told, and a new worker finishes what this one leaves.
 */
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';
import type { ActivityInterceptorsFactory, WorkflowBundleOption } from '@temporalio/worker';
import { TASK_QUEUE } from '../shared/contract/operation.ts';
import { compose } from './compose.ts';
import type { WorkerConfig } from './config.ts';
import { activityInterceptors, reportProgress } from './heartbeat-interceptor.ts';

export interface WorkerOptions {
  readonly taskQueue?: string;
  /** Left out: bundled now, which takes about a second. */
  readonly workflowBundle?: WorkflowBundleOption;
  /** Inside the heartbeat interceptor. */
  readonly interceptors?: readonly ActivityInterceptorsFactory[];
}

export interface OpenWorker {
  /** Works until a shutdown signal. */
  run(): Promise<void>;
  /** Works until that has ended, for those that open a worker within their own process. */
  runUntil<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function bundleWorkflows(): Promise<{ readonly code: string }> {
  return await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
    logger: new DefaultLogger('ERROR'),
  });
}

export async function openWorker(config: WorkerConfig, options: WorkerOptions = {}): Promise<OpenWorker> {
  const { taskQueue = TASK_QUEUE, interceptors = [] } = options;
  const connection = await NativeConnection.connect({ address: config.temporal.address });
  const composition = compose(config, {
    heartbeat: () => { Context.current().heartbeat(); },
    signal: () => Context.current().cancellationSignal,
    report: reportProgress,
  });
  const worker = await Worker.create({
    connection, namespace: config.temporal.namespace, taskQueue,
    workflowBundle: options.workflowBundle ?? await bundleWorkflows(),
    activities: composition.activities,
    // Left to itself the SDK holds heartbeats back for four fifths of their time-out: one that is late then ends the attempt.
    maxHeartbeatThrottleInterval: '2 seconds',
    interceptors: { activity: [activityInterceptors, ...interceptors] },
    maxConcurrentActivityTaskExecutions: 40,
    // What a stopped worker's polls are handed lies there until a time-out.
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
    workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
    maxCachedWorkflows: 50,
    // What is meant for a killed worker's cache waits this long before another worker takes it; 10 s is the default, and a freeze would last as much longer.
    stickyQueueScheduleToStartTimeout: '2 seconds',
    shutdownGraceTime: '2 seconds',
    shutdownForceTime: '4 seconds',
  });
  return {
    run: () => worker.run(),
    runUntil: (work) => worker.runUntil(work),
    async close() {
      await composition.close();
      await connection.close();
    },
  };
}
