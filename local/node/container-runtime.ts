/**
 * The life of one container: prepare, start, probe, wait for its end, back off, start again. Its
 * back-off starts at 1 s and is capped at 60 s (the kubelet: 10 s and 300 s), since a person waits.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, ContainerState, ContainerStatus } from './kube-types.ts';
import { isWildcard, strayListenerOf, type Listener } from './listeners.ts';
import { startProcess, type Exit, type PodProcess } from './pod-process.ts';
import { startProbes } from './prober.ts';
import { groupAndDescendants } from './process-table.ts';
import { StartFailure } from './start-failure.ts';

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;
/** A container that lived this long starts afresh: its next crash is a new story. */
const HEALTHY_MS = 60_000;
const TERMINATION_MESSAGE_BYTES = 2_048;

export interface Prepared {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly uid: number | undefined;
}

/** What a container needs of its pod. */
export interface ContainerHost {
  readonly address: string;
  readonly scratch: string;
  readonly logFile: string;
  readonly restartPolicy: 'Always' | 'OnFailure' | 'Never';
  prepare(container: Container, progress: (message: string) => void): Promise<Prepared>;
  /** Called with each started process before anything else, and without one when it is gone. */
  record(name: string, process: PodProcess | undefined): void;
  changed(): void;
  event(type: 'Normal' | 'Warning', reason: string, message: string): void;
}

export class ContainerRuntime {
  readonly container: Container;
  readonly #host: ContainerHost;
  readonly #stopping = new AbortController();
  #state: ContainerState = { waiting: { reason: 'ContainerCreating' } };
  #lastState: ContainerState = {};
  #restarts = 0;
  #ready = false;
  #started = false;
  #process: PodProcess | undefined;
  #id: string | undefined;
  /** Why we ended the process, when it did not end by itself. */
  #endedBy: { reason: string; message: string } | undefined;

  constructor(container: Container, host: ContainerHost, before?: ContainerStatus) {
    this.container = container;
    this.#host = host;
    if (before?.containerID === undefined) return;
    // An earlier node ran it: the count goes on, and what became of that process is said.
    this.#restarts = before.restartCount + 1;
    this.#lastState = before.state.terminated ? before.state : {
      terminated: {
        exitCode: 137, reason: 'NodeRestarted', message: 'The process node was started again and ended what it no longer controlled.',
        ...(before.state.running ? { startedAt: before.state.running.startedAt } : {}), finishedAt: now(), containerID: before.containerID,
      },
    };
  }

  get isReady(): boolean { return this.#ready; }
  get isFinal(): boolean { return this.#state.terminated !== undefined; }
  get hasRun(): boolean { return this.#id !== undefined; }
  get exitCode(): number | undefined { return this.#state.terminated?.exitCode; }

  status(): ContainerStatus {
    return {
      name: this.container.name, image: this.container.image, imageID: this.container.image,
      ready: this.#ready, started: this.#started, restartCount: this.#restarts,
      ...(this.#id === undefined ? {} : { containerID: this.#id }),
      state: this.#state, lastState: this.#lastState,
    };
  }

  /** Until the container has ended for good: stopped, or not to be started again. */
  async run(): Promise<void> {
    let backoff = FIRST_BACKOFF_MS;
    while (!this.#stopping.signal.aborted) {
      const began = Date.now();
      try {
        const exit = await this.#runOnce();
        this.#terminated(exit);
        if (this.#isDone(exit)) return;
        if (Date.now() - began >= HEALTHY_MS) backoff = FIRST_BACKOFF_MS;
        this.#backOff(backoff);
      } catch (error) {
        this.#couldNotStart(error);
      }
      await sleep(backoff, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
    }
    // Stopped between two runs, or before the first: there is an end state all the same.
    if (!this.#state.terminated) {
      this.#state = this.#lastState.terminated ? this.#lastState
        : { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The pod was stopped before this container ran.', finishedAt: now() } };
    }
  }

  stop(graceMs: number): void {
    this.#stopping.abort();
    this.#process?.stop(graceMs);
  }

  /** Ends a running container whose processes listen on a wildcard or on another pod's address. */
  checkListeners(listeners?: readonly Listener[]): boolean {
    const process = this.#process;
    if (!process) return true;
    const pids = groupAndDescendants(process.pid).map((row) => row.pid);
    const found = strayListenerOf(pids, this.#host.address, listeners);
    if (!found) return true;
    const message = `${this.container.name} listens on ${found.address} port ${String(found.port)}: bind the address in HOST (${this.#host.address}) instead.`;
    this.#end(isWildcard(found) ? 'WildcardListener' : 'ForeignListener', message, 0);
    return false;
  }

  async #runOnce(): Promise<Exit> {
    const host = this.#host;
    const prepared = await this.#untilStopped(host.prepare(this.container, (message) => {
      if (!this.#stopping.signal.aborted) this.#set({ waiting: { reason: 'ContainerCreating', message } });
    }));
    const spec = { argv: prepared.argv, env: prepared.env, cwd: host.scratch, logFile: host.logFile, uid: prepared.uid };
    const process = await startProcess(spec).catch((cause: unknown) => {
      throw new StartFailure('RunContainerError', `${prepared.argv[0] ?? ''} could not be started: ${(cause as Error).message}`, { cause });
    });
    host.record(this.container.name, process);
    this.#process = process;
    this.#endedBy = undefined;
    if (this.hasRun) this.#restarts++;
    this.#id = `process://${String(process.pid)}-${process.startTime}`;
    this.#set({ running: { startedAt: now() } });
    host.event('Normal', 'Started', `Started container ${this.container.name} as process ${String(process.pid)}`);

    const probing = new AbortController();
    startProbes({ container: this.container, address: host.address, env: prepared.env, cwd: host.scratch, uid: prepared.uid },
      AbortSignal.any([probing.signal, this.#stopping.signal]), {
        onStarted: () => { this.#started = true; host.changed(); },
        onReady: (ready, message) => {
          if (ready && !this.checkListeners()) return;
          if (!ready) host.event('Warning', 'Unhealthy', `Readiness probe failed: ${message}`);
          this.#ready = ready;
          host.changed();
        },
        onUnhealthy: (kind, message) => {
          host.event('Warning', 'Unhealthy', `${kind === 'startup' ? 'Startup' : 'Liveness'} probe failed: ${message}`);
          this.#end('Error', `The ${kind} probe failed: ${message}`, 10_000);
        },
      });
    // Stopped between the check above and now.
    if (this.#stopping.signal.aborted) process.stop(0);
    const exit = await process.exited;
    probing.abort();
    this.#process = undefined;
    host.record(this.container.name, undefined);
    return exit;
  }

  /** Installing an engine may take minutes: a deleted pod must not wait for it. */
  async #untilStopped<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#stopping;
    const stopped = new StartFailure('RunContainerError', 'The pod was stopped while this container was prepared.');
    return await new Promise<T>((resolve, reject) => {
      const stop = () => reject(stopped);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  #end(reason: string, message: string, graceMs: number): void {
    this.#endedBy = { reason, message };
    this.#ready = false;
    this.#host.event('Warning', reason === 'Error' ? 'Killing' : reason, message);
    this.#process?.stop(graceMs);
  }

  #terminated(exit: Exit): void {
    const startedAt = this.#state.running?.startedAt;
    const tail = lastLines(this.#host.logFile);
    this.#ready = false;
    this.#started = false;
    this.#set({
      terminated: {
        ...exit,
        reason: this.#endedBy?.reason ?? (exit.exitCode === 0 ? 'Completed' : 'Error'),
        ...(this.#endedBy ? { message: this.#endedBy.message } : tail ? { message: tail } : {}),
        ...(startedAt === undefined ? {} : { startedAt }),
        finishedAt: now(),
        ...(this.#id === undefined ? {} : { containerID: this.#id }),
      },
    });
  }

  #isDone(exit: Exit): boolean {
    if (this.#stopping.signal.aborted) return true;
    const { restartPolicy } = this.#host;
    return restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exit.exitCode === 0);
  }

  #backOff(delayMs: number): void {
    this.#lastState = this.#state;
    const reason = this.#endedBy?.reason.endsWith('Listener') === true ? this.#endedBy.reason : 'CrashLoopBackOff';
    const message = this.#endedBy?.message ?? `back-off ${String(delayMs / 1_000)}s restarting failed container ${this.container.name}`;
    this.#set({ waiting: { reason, message } });
    this.#host.event('Warning', 'BackOff', `Back-off ${String(delayMs / 1_000)}s restarting container ${this.container.name}`);
  }

  #couldNotStart(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const failure = error instanceof StartFailure ? error : new StartFailure('RunContainerError', (error as Error).message, { cause: error });
    this.#host.event('Warning', failure.reason === 'ErrImagePull' ? 'Failed' : failure.reason, failure.message);
    this.#set({ waiting: { reason: failure.waitingReason, message: failure.message } });
  }

  #set(state: ContainerState): void {
    this.#state = state;
    this.#host.changed();
  }
}

export function now(): string {
  return `${new Date().toISOString().slice(0, 19)}Z`;
}

function lastLines(file: string): string {
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    const start = Math.max(0, size - TERMINATION_MESSAGE_BYTES);
    const buffer = Buffer.alloc(Math.min(size, TERMINATION_MESSAGE_BYTES));
    readSync(fd, buffer, 0, buffer.length, start);
    return buffer.toString('utf8').split('\n').slice(-12).join('\n').trim();
  } finally {
    closeSync(fd);
  }
}
