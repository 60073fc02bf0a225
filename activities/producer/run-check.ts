/**
 * Runs the check runner as a child with a minimal environment, the project's own uid and a time limit; where
 * processes can be contained it reaches the app, its dependencies and a home of its own, and no network (I10).
 */
import { execFile, spawn } from 'node:child_process';
import { chown, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AdorableError } from '../../shared/errors.ts';

const LIMIT_MS = 120_000;
const HEARTBEAT_MS = 2_000;
const MAX_OUTPUT = 1_000_000;

export interface CheckError {
  readonly kind: 'isolation' | 'type' | 'build' | 'internal';
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

export interface CheckOutcome {
  readonly ok: boolean;
  readonly errors: readonly CheckError[];
  readonly ms: number;
}

/** The command line that runs `command` with these paths and nothing else of the machine. */
export type Contain = (reach: { readonly read: readonly string[]; readonly run: readonly string[]; readonly write: readonly string[] }, command: readonly string[]) => readonly string[];

export interface CheckInput {
  readonly node: string;
  readonly runner: string;
  readonly scratchDir: string;
  readonly slug: string;
  readonly uid: number | undefined;
  /** Undefined where processes cannot be contained. */
  readonly contain: Contain | undefined;
  readonly limitMs?: number;
  /** Ends the check with the activity that asked for it. */
  readonly signal?: AbortSignal | undefined;
  heartbeat(): void;
}

export async function runCheck(input: CheckInput): Promise<CheckOutcome> {
  const home = await mkdtemp(join(tmpdir(), 'adorable-check-'));
  try {
    if (input.uid !== undefined) {
      await chown(home, input.uid, input.uid);
      await promisify(execFile)('chmod', ['-R', 'a+rX', join(input.scratchDir, 'apps', input.slug)]);
    }
    return await spawnCheck(input, home);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function spawnCheck(input: CheckInput, home: string): Promise<CheckOutcome> {
  const [command = '', ...args] = await commandLine(input, home);
  const child = spawn(command, args, {
    cwd: home,
    env: { PATH: '/usr/bin:/bin', HOME: home, TMPDIR: home, NODE_ENV: 'production', LANG: 'C.UTF-8' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that the type-checker goes with it.
    detached: true,
    ...(input.uid === undefined ? {} : { uid: input.uid, gid: input.uid }),
  });
  let output = '';
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-MAX_OUTPUT)));
  child.stderr.on('data', (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
  let timedOut = false;
  const ticker = setInterval(() => input.heartbeat(), HEARTBEAT_MS);
  const limit = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, input.limitMs ?? LIMIT_MS);
  const stop = (): void => { killGroup(child.pid); };
  input.signal?.addEventListener('abort', stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
    input.signal?.throwIfAborted();
    if (timedOut) throw new AdorableError('BuildFailed', `The checks of ${input.slug} took longer than ${String((input.limitMs ?? LIMIT_MS) / 1000)} s and were stopped.`);
    return parseOutcome(input.slug, output, code, complaint);
  } finally {
    clearInterval(ticker);
    clearTimeout(limit);
    input.signal?.removeEventListener('abort', stop);
    killGroup(child.pid);
  }
}

async function commandLine(input: CheckInput, home: string): Promise<readonly string[]> {
  const app = join(input.scratchDir, 'apps', input.slug);
  // What is granted is where a path really leads.
  if ((await realpath(app)) !== join(await realpath(input.scratchDir), 'apps', input.slug)) {
    throw new AdorableError('IsolationViolated', `apps/${input.slug} is a link that leads elsewhere: nothing was checked.`);
  }
  const command = [input.node, input.runner, '--tree', input.scratchDir, '--app', `apps/${input.slug}`];
  if (!input.contain) return command;
  // The link is ours, made after the app was written; the compiler is a program among the dependencies.
  const dependencies = await realpath(join(app, 'node_modules'));
  return input.contain({ read: [app, dirname(input.runner)], run: [input.node, dependencies], write: [home] }, command);
}

function parseOutcome(slug: string, output: string, code: number | null, complaint: string): CheckOutcome {
  const line = output.trim().split('\n').at(-1) ?? '';
  if ((code === 0 || code === 1) && line.startsWith('{')) return JSON.parse(line) as CheckOutcome;
  // The same code would end it the same way again.
  if (code === null || code >= 128) throw new AdorableError('BuildFailed', `The checks of ${slug} were ended by its own code (${code === null ? 'a signal' : `exit ${String(code)}`}): make the app smaller or simpler.`);
  const reason = line.startsWith('{') ? ((JSON.parse(line) as CheckOutcome).errors[0]?.message ?? '') : complaint.trim().split('\n').at(-1);
  throw new AdorableError('Unclassified', `The checks of ${slug} did not finish (exit ${String(code)}): ${(reason ?? '').slice(0, 300)}`);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
