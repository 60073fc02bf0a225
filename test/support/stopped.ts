/** Processes that a test stops and continues, and what waits at them meanwhile. Continued at the end whatever happened. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { layout } from '../../local/paths.ts';
import type { PartName } from '../../local/supervisor/part-names.ts';
import { readRunRecord } from '../../local/supervisor/run-records.ts';

export function pidOf(data: string, part: PartName): number {
  const record = readRunRecord(layout(data), part);
  if (record === undefined) throw new Error(`there is no ${part}`);
  return record.pid;
}

export interface Stopping {
  stop(pid: number): void;
  go(pid: number): void;
  /** Also what is left of a test that failed. */
  goAll(): void;
}

export function createStopping(): Stopping {
  const stopped = new Set<number>();
  const go = (pid: number): void => {
    process.kill(pid, 'SIGCONT');
    stopped.delete(pid);
  };
  return {
    go,
    stop: (pid) => { process.kill(pid, 'SIGSTOP'); stopped.add(pid); },
    goAll: () => { for (const pid of stopped) go(pid); },
  };
}

/** Patience for what comes by itself; the caller's test has the time limit. */
export async function until<T>(what: string, read: () => T | undefined | Promise<T | undefined>, options: { everyMs?: number; limitMs?: number } = {}): Promise<T> {
  const { everyMs = 25, limitMs = 90_000 } = options;
  for (const deadline = Date.now() + limitMs; ; await sleep(everyMs)) {
    const found = await read();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not come in ${String(limitMs / 1000)} s`);
  }
}

/** How many requests of this process lie unread at a server that is stopped: asked of the kernel's tables. */
export function unreadRequests(from: number, port: number): number {
  const inodes = new Set(readdirSync(`/proc/${String(from)}/fd`).map((fd) => inodeOf(`/proc/${String(from)}/fd/${fd}`)));
  const rows = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1).map((line) => line.trim().split(/\s+/));
  const portOf = (address: string | undefined): number => parseInt(address?.split(':')[1] ?? '', 16);
  const callers = new Set(rows.filter((row) => inodes.has(row[9] ?? '') && portOf(row[2]) === port).map((row) => portOf(row[1])));
  return rows.filter((row) => portOf(row[1]) === port && callers.has(portOf(row[2])) && parseInt(row[4]?.split(':')[1] ?? '0', 16) > 0).length;
}

function inodeOf(path: string): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(path))?.[1] ?? '';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''; // Closed since the folder was listed.
    throw error;
  }
}
