/**
 * One watched process: started, waited for until it answers, started again when it dies, stopped on
 * request. Its death is seen at once, since the supervisor is its parent.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorFields, log } from '../log.ts';
import type { Layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import { awaitGone, identityOf, signal } from '../process-identity.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import { checkReady } from './readiness.ts';
import { removeRunRecord, writeRunRecord } from './run-records.ts';
import type { PartSpec } from './part-specs.ts';

const FIRST_BACKOFF_MS = 200;
const LAST_BACKOFF_MS = 10_000;
/** Up this long counts as healthy: the next death starts with the short pause again. */
const SETTLED_MS = 30_000;
const POLL_MS = 50;
const ARRANGE_AGAIN_MS = 500;
const ROTATE_BYTES = 20 * 1024 * 1024;

export type PartState = 'starting' | 'ready' | 'restarting' | 'stopping' | 'stopped';

export interface PartContext {
  readonly platform: Platform;
  readonly paths: Layout;
  readonly env: NodeJS.ProcessEnv;
  readonly changed: (state: PartState, detail?: string) => void;
}

export class Part {
  readonly spec: PartSpec;
  readonly #context: PartContext;
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #stopping = false;
  #restarts = 0;
  #backoffMs = FIRST_BACKOFF_MS;
  #startedAt = 0;

  constructor(spec: PartSpec, context: PartContext) {
    this.spec = spec;
    this.#context = context;
  }

  /** Starts the part and resolves once it answers and is arranged; rejects after the time limit. */
  async start(timeoutMs: number): Promise<void> {
    rotateLog(this.#logFile());
    await this.#launch();
    await this.#awaitReady(Date.now() + timeoutMs);
  }

  async #launch(): Promise<void> {
    const { paths, env, changed } = this.#context;
    changed('starting');
    await this.spec.prepare?.();
    if (this.#stopping) return;
    removeRunRecord(paths, this.spec.name);
    const file = this.#logFile();
    const output = openSync(file, 'a', 0o640);
    const logOffset = statSync(file).size;
    const child = spawn(this.spec.command, this.spec.args, {
      ...this.spec.user,
      cwd: '/',
      env,
      // A group of its own: Ctrl-C in the terminal of `up` must not reach it.
      detached: true,
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    this.#child = child;
    this.#startedAt = Date.now();
    child.once('error', (error) => {
      log('error', 'cannot start part', { part: this.spec.name, ...errorFields(error) });
      if (child.pid === undefined) void this.#died(child, null, null);
    });
    child.once('exit', (code, by) => void this.#died(child, code, by));
    this.#identity = child.pid === undefined ? undefined : identityOf(child.pid);
    if (!this.#identity) return;
    writeRunRecord(paths, this.spec.name, { ...this.#identity, startedAt: new Date().toISOString(), logOffset, restarts: this.#restarts });
  }

  async #died(child: ChildProcess, code: number | null, by: NodeJS.Signals | null): Promise<void> {
    // What it started in its own group has lost its parent; pods have groups of their own and stay.
    if (child.pid !== undefined) signal(child.pid, 'SIGKILL', 'group');
    if (this.#child !== child) return;
    this.#child = undefined;
    if (this.#stopping) return;
    await this.#restart(by ?? `exit ${code ?? '?'}`);
  }

  async #restart(why: string): Promise<void> {
    for (let reason = why; !this.#stopping; ) {
      const pause = this.#nextPause();
      this.#context.changed('restarting', `${reason}, again in ${pause} ms`);
      log('warn', 'part is started again', { part: this.spec.name, reason, pauseMs: pause });
      await sleep(pause);
      this.#restarts++;
      try {
        await this.#launch();
        await this.#awaitReady(undefined);
        return;
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
      }
    }
  }

  #nextPause(): number {
    if (Date.now() - this.#startedAt > SETTLED_MS) this.#backoffMs = FIRST_BACKOFF_MS;
    const pause = this.#backoffMs;
    this.#backoffMs = Math.min(this.#backoffMs * 2, LAST_BACKOFF_MS);
    return pause;
  }

  /** Without a deadline it waits for as long as this very process lives. */
  async #awaitReady(deadline: number | undefined): Promise<void> {
    const mine = this.#child;
    for (let last = 'it has not answered'; ; await sleep(POLL_MS)) {
      if (this.#stopping) return;
      if (deadline === undefined && this.#child !== mine) return;
      if (deadline !== undefined && Date.now() > deadline) throw new Error(`${last}; its log ends: ${this.#logTail()}`);
      if (!this.#child) continue;
      try {
        await checkReady(this.spec.name, this.#context.platform);
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
        continue;
      }
      try {
        await this.spec.arrange?.();
        this.#context.changed('ready');
        return;
      } catch (error) {
        last = error instanceof Error ? error.message : String(error);
        log('warn', 'part answers, but what it needs cannot be arranged yet', { part: this.spec.name, ...errorFields(error) });
        await sleep(ARRANGE_AGAIN_MS);
      }
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const identity = this.#identity;
    const child = this.#child;
    if (child && identity) {
      this.#context.changed('stopping');
      signal(identity.pid, this.spec.stopSignal);
      const left = await awaitGone([identity], this.spec.stopGraceMs);
      if (left.length > 0) {
        log('warn', 'part did not stop in time and is killed', { part: this.spec.name });
        signal(identity.pid, 'SIGKILL', 'group');
        await awaitGone([identity], 2_000);
      }
    }
    removeRunRecord(this.#context.paths, this.spec.name);
    this.#context.changed('stopped');
  }

  #logFile(): string {
    mkdirSync(this.#context.paths.logs, { recursive: true, mode: 0o711 });
    return join(this.#context.paths.logs, `${this.spec.name}.log`);
  }

  #logTail(): string {
    return readFileSync(this.#logFile(), 'utf8').trimEnd().split('\n').slice(-3).join(' | ').slice(-600);
  }
}

export function rotateLog(file: string): void {
  if (existsSync(file) && statSync(file).size > ROTATE_BYTES) renameSync(file, `${file}.1`);
}
