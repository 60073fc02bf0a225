/**
 * Copies of data directories: by reflink where the filesystem can, else plainly, run as the
 * directory's own user so that ownership needs no second pass. Synced as a whole filesystem,
 * because a sync per file takes minutes with ten thousand tables.
 */
import { execFile } from 'node:child_process';
import { chownSync, closeSync, fsyncSync, mkdirSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Contents that belong to a running server or to another timeline, never to a base. */
const LEFT_OUT = new Set(['pg_wal', 'postmaster.pid', 'postmaster.opts', 'pg_replslot', 'pg_stat_tmp', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_subtrans', 'recovery.signal', 'backup_label.old']);
const EMPTY = ['pg_wal', 'pg_wal/archive_status', 'pg_replslot', 'pg_stat_tmp', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_subtrans'];

export function makeOwned(path: string, uid: number | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (uid !== undefined) chownSync(path, uid, uid);
}

export async function copyDataDirectory(from: string, to: string, uid: number | undefined): Promise<void> {
  makeOwned(to, uid);
  const entries = readdirSync(from).filter((name) => !LEFT_OUT.has(name)).map((name) => join(from, name));
  const flags = process.platform === 'linux' ? ['-a', '--reflink=auto', '-t', to, ...entries] : ['-Rp', ...entries, to];
  await run('cp', flags, { maxBuffer: 1 << 20, ...(uid === undefined ? {} : { uid, gid: uid }) });
  for (const name of EMPTY) makeOwned(join(to, name), uid);
}

export async function syncFilesystem(path: string): Promise<void> {
  await run('sync', process.platform === 'linux' ? ['-f', path] : []);
}

/** The names in it, and so a rename into it. */
export function syncDirectory(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
