/**
 * A further base of a running timeline, so that a fork replays little WAL however long it has been
 * running. The backup session stays open while files are copied, and its label makes recovery
 * start where the copy did; the server checks the copy before it becomes one to fork from.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { WireConnection } from './postgres-wire.ts';

const run = promisify(execFile);
const LEFT_OUT = new Set(['pg_wal', 'postmaster.pid', 'postmaster.opts', 'pg_replslot', 'pg_stat_tmp', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_subtrans', 'pg_stat', 'backup_label.old']);
const UNFINISHED = '.making-';

export interface HotBaseInput {
  readonly pgdata: string;
  readonly bases: string;
  readonly connect: () => Promise<WireConnection>;
  readonly signal: AbortSignal;
}

/** Makes the copy and answers its folder's name and the LSN from which it is consistent. */
export async function makeHotBase({ pgdata, bases, connect, signal }: HotBaseInput): Promise<{ folder: string; lsn: string }> {
  for (const name of readdirSync(bases)) if (name.startsWith(UNFINISHED)) rmSync(join(bases, name), { recursive: true, force: true });
  const wire = await connect();
  try {
    const started = await wire.query(`SELECT pg_backup_start('adorable', true)::text`);
    const folder = `${UNFINISHED}${String(started[0]?.[0]).replace('/', '-')}`;
    const target = join(bases, folder);
    mkdirSync(target, { mode: 0o700 });
    const entries = readdirSync(pgdata).filter((name) => !LEFT_OUT.has(name)).map((name) => join(pgdata, name));
    await copy(entries, target, signal);
    const [stopped] = await wire.query('SELECT lsn::text, labelfile FROM pg_backup_stop(false)');
    writeFileSync(join(target, 'backup_label'), stopped?.[1] ?? '', { mode: 0o600 });
    for (const name of ['pg_wal', 'pg_wal/archive_status', 'pg_replslot', 'pg_stat', 'pg_stat_tmp', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots', 'pg_subtrans']) mkdirSync(join(target, name), { mode: 0o700 });
    await run('sync', process.platform === 'linux' ? ['-f', target] : []);
    return { folder, lsn: stopped?.[0] ?? '' };
  } finally {
    wire.close();
  }
}

async function copy(entries: readonly string[], target: string, signal: AbortSignal): Promise<void> {
  const flags = process.platform === 'linux' ? ['-a', '--reflink=auto', '-t', target, ...entries] : ['-Rp', ...entries, target];
  try {
    await run('cp', flags, { signal, maxBuffer: 16 << 20, env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' } });
  } catch (error) {
    // A table dropped while it is copied is no loss: the WAL that drops it is replayed.
    const lines = String((error as { stderr?: unknown }).stderr ?? '').split('\n').filter(Boolean);
    if (signal.aborted || lines.length === 0 || !lines.every((line) => line.endsWith('No such file or directory'))) throw error;
  }
}
