/**
 * Ends PostgreSQL, also one that does not obey. A clean stop is asked for first; what ignores it is
 * ended by force: WAL holds every acknowledged write, and whoever opens the directory next recovers it (I3).
 */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** With a checkpoint just done, what is left of a clean stop is the archiving of the last segments. */
const CLEAN_MS = 12_000;
/** PostgreSQL itself kills children that ignore this 5 s later, which leaves none behind. */
const IMMEDIATE_MS = 6_000;

export interface Postgres {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  /** It was found not to obey: a clean stop is not worth waiting for. */
  readonly hangs: boolean;
  warn(message: string): void;
}

/** Its exit code; null when it was killed. */
export async function stopPostgres({ child, exited, hangs, warn }: Postgres): Promise<number | null> {
  const ends = async (signal: NodeJS.Signals, withinMs: number): Promise<boolean> => {
    child.kill(signal);
    return await Promise.race([exited.then(() => true), sleep(withinMs, false, { ref: false })]);
  };
  if (!hangs) {
    if (await ends('SIGINT', CLEAN_MS)) return await exited;
    warn(`PostgreSQL did not stop within ${String(CLEAN_MS / 1000)} s: it is ended at once, and recovers what it acknowledged at its next start`);
  }
  if (!(await ends('SIGQUIT', IMMEDIATE_MS))) {
    warn('PostgreSQL ignores an immediate stop: it is killed');
    child.kill('SIGKILL');
  }
  return await exited;
}
