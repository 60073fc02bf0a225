/**
 * The worker: `main.ts [--data DIR]`. Bundles the workflows once, registers every activity behind the
 * heartbeat interceptor, and stops cleanly on SIGTERM: running activities are told, and a new
 * worker finishes what this one leaves.
 */
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { errorFields, log } from '../local/log.ts';
import { dataDir } from '../local/paths.ts';
import { TASK_QUEUE } from '../shared/contract/operation.ts';
import { compose } from './compose.ts';
import { readWorkerConfig } from './config.ts';
import { activityInterceptors } from './heartbeat-interceptor.ts';
import { ensureSweepSchedule } from './sweep-schedule.ts';

const { values } = parseArgs({ options: { data: { type: 'string' } } });
const config = readWorkerConfig(dataDir(values.data), process.env);

Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
    log(level === 'ERROR' ? 'error' : 'warn', message, { source: 'temporal', ...(meta?.['error'] === undefined ? {} : errorFields(meta['error'])) });
  }),
  // The supervisor's SIGTERM; what an activity cannot finish in time, another worker repeats.
  shutdownSignals: ['SIGTERM', 'SIGINT'],
});

const connection = await NativeConnection.connect({ address: config.temporal.address });
const composition = compose(config, {
  heartbeat: () => { Context.current().heartbeat(); },
  signal: () => Context.current().cancellationSignal,
});
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
  logger: new DefaultLogger('ERROR'),
});
const worker = await Worker.create({
  connection, namespace: config.temporal.namespace, workflowBundle, taskQueue: TASK_QUEUE,
  activities: composition.activities,
  interceptors: { activity: [activityInterceptors] },
  maxConcurrentActivityTaskExecutions: 40,
  // What a stopped worker's polls are handed lies there until a time-out, and so do tasks for the runs that a killed one had cached.
  activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
  workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
  stickyQueueScheduleToStartTimeout: '2 seconds',
  maxCachedWorkflows: 50,
  shutdownGraceTime: '2 seconds',
  shutdownForceTime: '4 seconds',
});
// Without it the worker still works: a sweep can be started by hand.
await ensureSweepSchedule(config.temporal).catch((error: unknown) => { log('warn', 'no schedule for the sweep', errorFields(error)); });
log('info', 'ready', { ready: true, taskQueue: TASK_QUEUE });
try {
  await worker.run();
} catch (error) {
  log('error', 'the worker ended', errorFields(error));
  process.exitCode = 1;
} finally {
  await composition.close();
  await connection.close();
}
