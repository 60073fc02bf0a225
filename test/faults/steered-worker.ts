/**
 * The harness's end of the worker that it steers: every activity call comes by here, is counted by
 * its name, and does what the harness says. The process can be killed -9 and started again.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Boundary } from './boundaries.ts';
import type { CallFacts, FromWorker, Order } from './call-wire.ts';

/** One attempt of one activity, held until it is told what to do. */
export interface Call extends CallFacts, Boundary {
  pass(): void;
  /** Does it once, answering nothing yet; the text of its failure when it failed. Rejects when the worker dies over it. */
  effect(): Promise<string | undefined>;
  /** Answers with what the last effect gave. */
  reply(): void;
  fail(type: string, retryable: boolean): void;
}

export type Steer = (call: Call) => void | Promise<void>;

export interface SteeredWorker {
  readonly queue: string;
  readonly pid: number;
  /** From now on calls are counted anew and steered so. */
  steer(by: Steer): void;
  /** What went wrong in the steering itself: a fault that could not be put. */
  troubles(): string[];
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

const passing: Steer = (call) => { call.pass(); };

export async function startSteeredWorker(options: { data: string; queue: string; bundle: string }): Promise<SteeredWorker> {
  const { data, queue, bundle } = options;
  let by = passing;
  let counts = new Map<string, number>();
  let known = new Map<string, number>();
  let troubles: string[] = [];
  let child: ChildProcess | undefined;
  let effects = new Map<number, { ended(error: string | undefined): void; died(error: Error): void }>();

  /** The how manyeth of its name: a retry is the same call again. */
  function nthOf({ workflowId, runId, activity, activityId }: CallFacts): number {
    const key = `${workflowId} ${runId} ${activityId}`;
    const nth = known.get(key) ?? (counts.get(activity) ?? 0) + 1;
    known.set(key, nth);
    counts.set(activity, Math.max(nth, counts.get(activity) ?? 0));
    return nth;
  }

  function heard(from: ChildProcess, id: number, facts: CallFacts): void {
    const send = (order: Order): void => { if (from.connected) from.send({ ...order, id }); };
    const call: Call = {
      ...facts, nth: nthOf(facts),
      pass: () => { send({ do: 'pass' }); },
      reply: () => { send({ do: 'reply' }); },
      fail: (type, retryable) => { send({ do: 'fail', type, retryable }); },
      effect: () => {
        const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
        promise.catch(() => undefined); // Whoever put the fault may not wait for it.
        effects.set(id, { ended: resolve, died: reject });
        if (from === child) send({ do: 'effect' });
        else reject(new Error('its worker was killed'));
        return promise;
      },
    };
    void (async () => {
      try {
        await by(call);
      } catch (error) {
        if (from === child) troubles.push(`${facts.activity}: ${error instanceof Error ? error.message : String(error)}`);
        call.pass();
      }
    })();
  }

  async function start(): Promise<void> {
    const output = openSync(join(data, 'logs', `${queue}.log`), 'a', 0o640);
    const started = fork(fileURLToPath(new URL('./worker-main.ts', import.meta.url)), ['--data', data, '--queue', queue, '--bundle', bundle], {
      execArgv: ['--disable-warning=ExperimentalWarning'], env: { ...process.env, NODE_OPTIONS: '' }, stdio: ['ignore', output, output, 'ipc'],
    });
    closeSync(output);
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.once('exit', (code) => {
        const why = new Error(`the steered worker ended with ${String(code)}: see ${queue}.log`);
        reject(why);
        if (child !== started) return;
        // It died of something else than the harness: a finding, and another one goes on, as the supervisor would see to.
        troubles.push(why.message);
        died(why);
        start().catch((error: unknown) => { troubles.push(error instanceof Error ? error.message : String(error)); });
      });
      started.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') resolve();
        if (message.kind === 'call') heard(started, message.id, message.facts);
        if (message.kind === 'ended') { effects.get(message.id)?.ended(message.error); effects.delete(message.id); }
      });
    });
  }

  function died(why: Error): void {
    child = undefined;
    for (const effect of effects.values()) effect.died(why);
    effects = new Map();
  }

  async function gone(name: NodeJS.Signals): Promise<void> {
    const ending = child;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = new Promise((resolve) => ending.once('exit', resolve));
    child = undefined;
    ending.kill(name);
    await exited;
    died(new Error('its worker was killed'));
  }

  await start();
  return {
    queue,
    get pid() { return child?.pid ?? 0; },
    steer(next) { by = next; counts = new Map(); known = new Map(); troubles = []; },
    troubles: () => troubles,
    kill: () => gone('SIGKILL'),
    start,
    close: () => gone('SIGTERM'),
  };
}
