/**
 * PostgreSQL processes of the timeline server's own: bounded runs that recover or cleanly stop a
 * directory, and the finding of those left behind by a kill -9. A process belongs to a directory
 * when that is its working directory, which PostgreSQL and all its children keep: no pid is
 * trusted on its own (I6).
 */
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface PostgresRun {
  readonly binaries: string;
  readonly pgdata: string;
  readonly uid: number | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Reads through a private socket in this folder before the stop; without it nobody can connect. */
  readonly during?: (socketFolder: string) => Promise<void>;
  /** Who may connect through that socket: `cloud_admin` unless said otherwise. */
  readonly logins?: 'admin' | 'all';
}

export class PostgresFailed extends Error {}

/** Starts PostgreSQL, waits until it would accept writes, stops it cleanly. Only `during` can connect meanwhile. */
export async function runUntilStopped(run: PostgresRun): Promise<void> {
  // Beside the timelines, under a name that a restart removes, unless that is too deep for a socket's path.
  const near = join(dirname(dirname(run.pgdata)), 'run.making-');
  const folder = mkdtempSync(near.length <= 86 ? near : join(tmpdir(), 'adorable-pg-'));
  const empty = join(folder, 'empty.conf');
  const refuseAll = join(folder, 'hba.conf');
  writeFileSync(empty, '');
  // The folder is the uid's alone: who reaches the socket may read.
  writeFileSync(refuseAll, run.during ? `local all ${run.logins === 'all' ? 'all' : 'cloud_admin'} trust\n` : 'local all all reject\n');
  if (run.uid !== undefined) for (const path of [folder, empty, refuseAll]) chownSync(path, run.uid, run.uid);
  const settings = {
    config_file: empty, hba_file: refuseAll, ident_file: empty, listen_addresses: '', unix_socket_directories: folder,
    shared_buffers: '32MB', max_connections: '40', max_prepared_transactions: '8', hot_standby: 'off', archive_mode: 'off',
    autovacuum: 'off', max_logical_replication_workers: '0', max_wal_senders: '0', wal_recycle: 'off', min_wal_size: '2MB',
    // The whole directory is synced once before it is renamed into place.
    fsync: 'off', logging_collector: 'off', log_min_messages: 'log', log_checkpoints: 'off', lc_messages: 'C', ...run.settings,
  };
  const args = ['-D', run.pgdata, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
  const child = spawn(join(run.binaries, 'postgres'), args, {
    cwd: run.pgdata, stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', ADORABLE_INSTANCE: process.env['ADORABLE_INSTANCE'] ?? '' },
    ...(run.uid === undefined ? {} : { uid: run.uid, gid: run.uid }),
  });
  let text = '';
  let isReady = false;
  let read: Promise<unknown> = Promise.resolve();
  let failed: unknown;
  const limit = setTimeout(() => child.kill('SIGQUIT'), run.timeoutMs);
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-20_000);
    if (!isReady && text.includes('database system is ready to accept connections')) {
      isReady = true;
      read = (run.during?.(folder) ?? Promise.resolve()).catch((error: unknown) => { failed = error; }).finally(() => child.kill('SIGINT'));
    }
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    await read;
    if (failed !== undefined) throw failed;
    if (!isReady || code !== 0) throw new PostgresFailed(reasonOf(text) || `PostgreSQL ended with ${String(code)}`);
  } finally {
    clearTimeout(limit);
    rmSync(folder, { recursive: true, force: true });
  }
}

function reasonOf(text: string): string {
  const lines = text.split('\n').filter((line) => /\b(FATAL|PANIC|DETAIL):/.test(line));
  return lines.map((line) => line.replace(/^.*?\b(?:FATAL|PANIC|DETAIL): +/, '')).join('; ').slice(0, 500);
}

/** Pids whose working directory is this directory or below it. */
export function processesIn(directory: string): number[] {
  if (process.platform !== 'linux') return postmasterOf(directory);
  const found: number[] = [];
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const cwd = readlinkSync(`/proc/${entry}/cwd`);
      if (cwd === directory || cwd.startsWith(`${directory}/`)) found.push(Number(entry));
    } catch (error) {
      // Gone meanwhile, or another user's, which cannot be one of ours.
      if (!['ENOENT', 'EACCES', 'ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  return found;
}

function postmasterOf(directory: string): number[] {
  const lines = execFileSync('ps', ['-axo', 'pid=,command='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(`-D ${directory}`)).map((line) => Number.parseInt(line, 10));
}

/** Ends every process of a directory: politely first when a clean stop is worth waiting for. */
export async function endProcessesIn(directory: string, politeMs: number): Promise<void> {
  const deadline = Date.now() + politeMs;
  if (politeMs > 0) for (const pid of processesIn(directory)) signal(pid, 'SIGINT');
  while (processesIn(directory).length > 0) {
    if (Date.now() >= deadline) for (const pid of processesIn(directory)) signal(pid, 'SIGKILL');
    await sleep(20);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
