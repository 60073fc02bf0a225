/**
 * The worker that the fault harness steers, in a process of its own so that it can be killed -9: the
 * real composition on a task queue of its own, each activity call asking over IPC what to do.
 * `worker-main.ts --data DIR --queue NAME --bundle FILE`.
 */
import { parseArgs } from 'node:util';
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { ActivityInterceptors } from '@temporalio/worker';
import { errorFields, log } from '../../local/log.ts';
import { readWorkerConfig } from '../../workers/config.ts';
import { openWorker } from '../../workers/open-worker.ts';
import type { FromWorker, Order, ToWorker } from './call-wire.ts';

const { values } = parseArgs({ options: { data: { type: 'string' }, queue: { type: 'string' }, bundle: { type: 'string' } } });
const { data, queue, bundle } = values;
if (data === undefined || queue === undefined || bundle === undefined || process.send === undefined) throw new Error('started by the fault harness only');

const waiting = new Map<number, (order: Order) => void>();
let calls = 0;

process.on('message', (message: ToWorker) => { waiting.get(message.id)?.(message); });
// Whoever steers it is gone: nobody would answer its calls any more.
process.on('disconnect', () => process.exit(1));

const say = (message: FromWorker): void => { process.send?.(message); };

function steered(): ActivityInterceptors {
  return {
    inbound: {
      async execute(input, next) {
        calls += 1;
        const id = calls;
        const { activityType, activityId, attempt, workflowExecution } = activityInfo();
        let told = order(id);
        say({ kind: 'call', id, facts: { workflowId: workflowExecution?.workflowId ?? '', runId: workflowExecution?.runId ?? '', activity: activityType, activityId, attempt } });
        let answer = (): unknown => { throw new Error(`${activityType} was told to reply before it did anything`); };
        try {
          for (;;) {
            const now = await told;
            if (now.do === 'pass') return await next(input);
            if (now.do === 'reply') return answer();
            if (now.do === 'fail') throw ApplicationFailure.create({ type: now.type, message: 'injected', nonRetryable: !now.retryable });
            told = order(id);
            let error: string | undefined;
            try {
              const value = await next(input);
              answer = () => value;
            } catch (failure) {
              error = failure instanceof Error ? failure.message : String(failure);
              answer = () => { throw failure; };
            }
            say({ kind: 'ended', id, ...(error === undefined ? {} : { error }) });
          }
        } finally {
          waiting.delete(id);
        }
      },
    },
  };
}

function order(id: number): Promise<Order> {
  return new Promise((resolve) => { waiting.set(id, resolve); });
}

Runtime.install({
  logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
    log(level === 'ERROR' ? 'error' : 'warn', message, { source: 'temporal', ...(meta?.['error'] === undefined ? {} : errorFields(meta['error'])) });
  }),
  shutdownSignals: ['SIGTERM'],
});
const worker = await openWorker(readWorkerConfig(data, process.env), { taskQueue: queue, workflowBundle: { codePath: bundle }, interceptors: [steered] });
say({ kind: 'ready' });
try {
  await worker.run();
} finally {
  await worker.close();
  process.disconnect();
}
