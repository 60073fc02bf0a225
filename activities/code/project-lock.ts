/**
 * One writer per repository. The lock is a symlink whose target names its holder, since creating
 * one is atomic with its content: no reader ever sees a half-written lock. A holder that is gone,
 * or stopped, is taken over; what it would still write is refused by the fence (see `fence.ts`).
 */
import { randomBytes } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdorableError } from '../../shared/errors.ts';

/** Writers hold the lock for seconds: longer than this and a stopped one has lost its turn. */
const STOPPED_MS = 15_000;
/** A holder on another machine cannot be asked whether it lives. */
const FOREIGN_MS = 600_000;
const WAIT_MS = 45_000;
const POLL_MS = 25;

export interface Lease {
  /** Throws once somebody took the lock over: asked before each step that a ref cannot guard. */
  assertHeld(): void;
}

export async function withProjectLock<T>(gitDir: string, work: (lease: Lease) => Promise<T>, waitMs = WAIT_MS): Promise<T> {
  const lock = join(gitDir, 'adorable-lock');
  const me = `${hostname()}/${String(process.pid)}/${startTime(process.pid) ?? '0'}/${randomBytes(6).toString('hex')}`;
  const deadline = Date.now() + waitMs;
  while (!tryLock(lock, me)) {
    const holder = holderOf(lock);
    if (holder !== undefined && isAbandoned(lock, holder)) takeOver(lock, holder, me);
    else if (Date.now() > deadline) {
      throw new AdorableError('Contended', 'Another writer holds this repository: it is tried again until that one is done.', {
        details: { holder: holder?.split('/').slice(0, 2).join('/') ?? 'unknown' },
      });
    } else await sleep(POLL_MS);
  }
  const assertHeld = (): void => {
    if (holderOf(lock) === me) return;
    throw new AdorableError('StaleFence', 'This writer lost its turn while it was stopped: nothing more is written.');
  };
  try {
    return await work({ assertHeld });
  } finally {
    if (holderOf(lock) === me) unlinkSync(lock);
  }
}

function tryLock(lock: string, me: string): boolean {
  try {
    symlinkSync(me, lock);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    if (codeOf(error) === 'ENOENT') throw new AdorableError('NotFound', 'The project has no repository: provision it first.', { cause: error });
    throw error;
  }
}

function holderOf(lock: string): string | undefined {
  try {
    return readlinkSync(lock);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isAbandoned(lock: string, holder: string): boolean {
  const [host, pid = '0', started = ''] = holder.split('/');
  const ageMs = lockAge(lock);
  if (host !== hostname()) return ageMs > FOREIGN_MS;
  const found = startTime(Number(pid));
  if (found === undefined || found !== started) return true;
  return ageMs > STOPPED_MS && processState(Number(pid)) === 'T';
}

/** Under a second lock, so that of two who find the same dead holder only one removes it. */
function takeOver(lock: string, dead: string, me: string): void {
  const guard = `${lock}.takeover`;
  if (!tryLock(guard, me)) {
    const other = holderOf(guard);
    if (other !== undefined && isAbandoned(guard, other)) unlinkIfThere(guard);
    return;
  }
  try {
    if (holderOf(lock) === dead) unlinkIfThere(lock);
  } finally {
    unlinkIfThere(guard);
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function lockAge(lock: string): number {
  try {
    return Date.now() - lstatSync(lock).mtimeMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** Fields of `/proc/<pid>/stat` behind the command, which may itself hold spaces and brackets. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

/** Tells a process from a later one with the same pid; where there is no /proc, only whether it lives. */
function startTime(pid: number): string | undefined {
  if (existsSync('/proc/self/stat')) {
    const fields = statFields(pid);
    return fields?.[0] === 'Z' ? undefined : fields?.[19];
  }
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return codeOf(error) === 'EPERM' ? 'alive' : undefined;
  }
}

function processState(pid: number): string | undefined {
  return existsSync('/proc/self/stat') ? statFields(pid)?.[0] : undefined;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
