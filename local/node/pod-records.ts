/**
 * What the node started, on disk: `node/pods/<uid>.json`. After its own death the node cannot
 * reattach to children, so the next one kills by pid and start time everything recorded here (I6).
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { log } from '../log.ts';
import { groupAndDescendants, isSameProcess, killTree, readProcess, signal } from './process-table.ts';

interface ProcessRecord { readonly pid: number; readonly startTime: string; readonly pgid: number }

export interface PodRecord {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly containerIP: string;
  readonly processes: Readonly<Record<string, ProcessRecord>>;
}

export interface PodRecords {
  write(record: PodRecord): void;
  remove(uid: string): void;
  /** Ends everything that an earlier node left behind; answers how many processes that were. */
  reap(graceMs: number): Promise<number>;
}

export function openPodRecords(directory: string): PodRecords {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = (uid: string) => join(directory, `${uid}.json`);
  return {
    write: (record) => {
      writeFileSync(`${file(record.uid)}.new`, JSON.stringify(record), { mode: 0o600 });
      renameSync(`${file(record.uid)}.new`, file(record.uid));
    },
    remove: (uid) => rmSync(file(uid), { force: true }),
    reap: async (graceMs) => {
      const names = readdirSync(directory).filter((name) => name.endsWith('.json'));
      const records = names.map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')) as PodRecord);
      const groups = records.flatMap((record) => Object.values(record.processes)).filter(isStillOurs);
      const before = groups.reduce((sum, group) => sum + groupAndDescendants(group.pgid).length, 0);
      // Databases get the chance to stop cleanly; whatever is left is killed.
      for (const group of groups) signal(-group.pgid, 'SIGTERM');
      const deadline = Date.now() + graceMs;
      while (Date.now() < deadline && groups.some((group) => groupAndDescendants(group.pgid).length > 0)) await sleep(50);
      for (const group of groups) if (isStillOurs(group)) killTree(group.pgid);
      for (const record of records) rmSync(file(record.uid), { force: true });
      if (before > 0) log('warn', 'ended processes of an earlier node', { processes: before, pods: records.length });
      return before;
    },
  };
}

/** The leader itself, or a group whose leader is gone: a live stranger under its pid means that the pid was reused. */
function isStillOurs(record: ProcessRecord): boolean {
  if (isSameProcess(record.pid, record.startTime)) return true;
  return readProcess(record.pid) === undefined && groupAndDescendants(record.pgid).length > 0;
}
