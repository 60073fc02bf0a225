/**
 * The worker: `main.ts --data DIR`. Bundles the workflows once, registers every activity behind the
 * heartbeat interceptor, and stops cleanly on SIGTERM: running activities are told, and a new
 * worker finishes what this one leaves.
 */
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Context } from '@temporalio/activity';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { errorFields, log } from '../local/log.ts';
import { readPlatform } from '../local/platform.ts';
import { TASK_QUEUE } from '../shared/contract/operation.ts';
import { compose } from './compose.ts';
import { activityInterceptors } from './heartbeat-interceptor.ts';

const { values } = parseArgs({ options: { data: { type: 'string' } } });
if (values.data === undefined) {
  process.stderr.write('usage: workers/main.ts --data DIR\n');
  process.exit(2);
}

Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
    log(level === 'ERROR' ? 'error' : 'warn', message, { source: 'temporal', ...(meta?.['error'] === undefined ? {} : errorFields(meta['error'])) });
  }),
  // The supervisor's SIGTERM; what an activity cannot finish in time, another worker repeats.
  shutdownSignals: ['SIGTERM', 'SIGINT'],
});

const platform = readPlatform(values.data);
const connection = await NativeConnection.connect({ address: `127.0.0.1:${String(platform.ports.temporal)}` });
const composition = await compose(platform, {
  heartbeat: () => { Context.current().heartbeat(); },
  signal: () => Context.current().cancellationSignal,
});
const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
  logger: new DefaultLogger('ERROR'),
});
const worker = await Worker.create({
  connection, workflowBundle, taskQueue: TASK_QUEUE,
  activities: composition.activities,
  interceptors: { activity: [activityInterceptors] },
  maxConcurrentActivityTaskExecutions: 40,
  maxCachedWorkflows: 50,
  shutdownGraceTime: '2 seconds',
  shutdownForceTime: '4 seconds',
});
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
