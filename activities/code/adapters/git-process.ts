/**
 * A small process that starts git for a large one: Node forks, and a fork copies the page tables of all
 * that its process has in memory (measured: 41 ms for one of 700 MB, 2 ms for this one), with the event
 * loop standing still. Started with the first call, ended after a while without any, or with its parent.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { AdorableError } from '../../../shared/errors.ts';

export interface GitCall {
  readonly baseDir: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
  /** Whether the output is wanted as bytes. */
  readonly bytes: boolean;
}

export type GitAnswer =
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly exitCode: number; readonly output: string }
  /** It was never started. */
  | { readonly why: string };

export interface Numbered<T> {
  readonly id: number;
  readonly message: T;
}

const IDLE_MS = 30_000;
const MAIN = fileURLToPath(new URL('./git-process-main.ts', import.meta.url));

let current: GitProcess | undefined;

export async function inGitProcess(call: GitCall): Promise<GitAnswer> {
  if (current === undefined || current.isOver) current = new GitProcess();
  return await current.ask(call);
}

class GitProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<GitAnswer>>();
  #asked = 0;
  #idle: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor() {
    this.#child = fork(MAIN, [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // Nothing of the worker's environment reaches git or what starts it (I7).
      env: { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'], serialization: 'advanced', cwd: '/',
    });
    this.#child.on('message', ({ id, message }: Numbered<GitAnswer>) => { this.#settle(id)?.resolve(message); });
    this.#child.once('error', (cause) => { this.#end(cause); });
    this.#child.once('disconnect', () => { this.#end(undefined); });
    // It never keeps its parent; a call that is under way does.
    this.#child.unref();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async ask(call: GitCall): Promise<GitAnswer> {
    clearTimeout(this.#idle);
    const id = this.#asked++;
    const answer = Promise.withResolvers<GitAnswer>();
    this.#waiting.set(id, answer);
    this.#child.channel?.ref();
    this.#child.send({ id, message: call } satisfies Numbered<GitCall>, (error) => { if (error !== null) this.#settle(id)?.reject(ended(error)); });
    return await answer.promise;
  }

  #settle(id: number): PromiseWithResolvers<GitAnswer> | undefined {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) {
      this.#child.channel?.unref();
      clearTimeout(this.#idle);
      this.#idle = setTimeout(() => { this.#retire(); }, IDLE_MS).unref();
    }
    return answer;
  }

  #retire(): void {
    if (this.#waiting.size > 0) return;
    this.#isOver = true;
    if (this.#child.connected) this.#child.disconnect();
  }

  #end(cause: unknown): void {
    this.#isOver = true;
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(ended(cause));
    clearTimeout(this.#idle);
  }
}

function ended(cause: unknown): AdorableError {
  return new AdorableError('Unavailable', 'The process that starts git ended meanwhile: it is started again.', { cause });
}
