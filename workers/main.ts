/** The worker's process: `main.ts [--data DIR]`. Works until SIGTERM; the supervisor starts another one when it dies. */
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { errorFields, log } from '../local/log.ts';
import { dataDir } from '../local/paths.ts';
import { TASK_QUEUE } from '../shared/contract/operation.ts';
import { readWorkerConfig } from './config.ts';
import { openWorker } from './open-worker.ts';
import { ensureSweepSchedule } from './sweep-schedule.ts';

const { values } = parseArgs({ options: { data: { type: 'string' } } });
const config = readWorkerConfig(dataDir(values.data), process.env);
// What it starts, npm among it, inherits the environment (I7).
delete process.env['ADORABLE_MODEL_KEY'];

Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
    log(level === 'ERROR' ? 'error' : 'warn', message, { source: 'temporal', ...(meta?.['error'] === undefined ? {} : errorFields(meta['error'])) });
  }),
  // The supervisor's SIGTERM; what an activity cannot finish in time, another worker repeats.
  shutdownSignals: ['SIGTERM', 'SIGINT'],
});

const worker = await openWorker(config);
// Without it the worker still works: a sweep can be started by hand.
await ensureSweepSchedule(config.temporal).catch((error: unknown) => { log('warn', 'no schedule for the sweep', errorFields(error)); });
log('info', 'ready', { ready: true, taskQueue: TASK_QUEUE });
try {
  await worker.run();
} catch (error) {
  log('error', 'the worker ended', errorFields(error));
  process.exitCode = 1;
} finally {
  await worker.close();
}
