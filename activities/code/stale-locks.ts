/**
 * Lock files that a killed git left behind. They are removed only when they are old enough and no
 * git process works in this project; a person's commit that waits in an editor is left alone.
 */
import { existsSync } from 'node:fs';
import { lstat, readFile, readdir, readlink, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../../local/log.ts';
import type { Repository } from './repository.ts';

const STALE_MS = 2_000;
/** Where processes cannot be looked at, age alone has to do. */
const STALE_UNSEEN_MS = 60_000;
const POLL_MS = 100;

export async function clearStaleLocks(repository: Repository): Promise<void> {
  const deadline = Date.now() + STALE_MS + 500;
  for (;;) {
    const locks = await lockFiles(repository.gitDir);
    if (locks.length === 0) return;
    const busy = await gitRunsIn(repository.dir);
    const limit = busy === undefined ? STALE_UNSEEN_MS : STALE_MS;
    for (const lock of locks) {
      if (busy !== true && (await ageMs(lock)) >= limit) {
        await rm(lock, { force: true });
        log('warn', 'removed a stale git lock', { projectId: repository.projectId, lock: lock.slice(repository.gitDir.length + 1) });
      }
    }
    if (Date.now() > deadline) return;
    await sleep(POLL_MS);
  }
}

async function lockFiles(gitDir: string): Promise<readonly string[]> {
  const top = ['index.lock', 'HEAD.lock', 'packed-refs.lock', 'config.lock'].map((name) => join(gitDir, name)).filter((path) => existsSync(path));
  const refs = await readdir(join(gitDir, 'refs'), { recursive: true }).catch(absent);
  return [...top, ...refs.filter((name) => name.endsWith('.lock')).map((name) => join(gitDir, 'refs', name))];
}

/** undefined where there is no process table to read. */
async function gitRunsIn(projectDir: string): Promise<boolean | undefined> {
  if (!existsSync('/proc/self/stat')) return undefined;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    if (!name.startsWith('git')) continue;
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (cwd === projectDir || cwd.startsWith(projectDir + sep)) return true;
  }
  return false;
}

async function ageMs(path: string): Promise<number> {
  const found = await lstat(path).catch(() => undefined);
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

function absent(error: unknown): string[] {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
  throw error;
}
