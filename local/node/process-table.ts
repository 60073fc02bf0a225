/**
 * What /proc says of processes. A process is named by pid AND start time, because pids are
 * reused: nothing is killed that the node did not start (I6).
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessRow {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly state: string;
  /** Clock ticks since boot. */
  readonly startTime: string;
}

export function readProcess(pid: number): ProcessRow | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  // The command in parentheses may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { pid, state: fields[0] ?? '', ppid: Number(fields[1]), pgid: Number(fields[2]), startTime: fields[19] ?? '' };
}

export function readProcesses(): ProcessRow[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((name) => readProcess(Number(name)) ?? []);
}

/** Living members of a group and everything below them: PostgreSQL's backends leave their parent's group. */
export function groupAndDescendants(pgid: number, rows: readonly ProcessRow[] = readProcesses()): ProcessRow[] {
  const found = new Set(rows.filter((row) => row.pgid === pgid).map((row) => row.pid));
  for (let size = -1; size !== found.size;) {
    size = found.size;
    for (const row of rows) if (found.has(row.ppid)) found.add(row.pid);
  }
  return rows.filter((row) => found.has(row.pid) && row.state !== 'Z');
}

export function isSameProcess(pid: number, startTime: string): boolean {
  const row = readProcess(pid);
  return row?.startTime === startTime && row.state !== 'Z';
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** SIGKILL for a group and its descendants, each checked to be the process that was seen. */
export function killTree(pgid: number): number {
  const members = groupAndDescendants(pgid);
  for (const row of members) if (isSameProcess(row.pid, row.startTime)) signal(row.pid, 'SIGKILL');
  return members.length;
}
