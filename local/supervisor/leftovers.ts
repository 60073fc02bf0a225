/**
 * Processes of this data directory that nobody watches any more: after a kill -9 of the supervisor
 * or of the node. Found by the records (pid and start time) and, as a last check, by the instance
 * id in the process table; nothing else is ever signalled (I6).
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Layout } from '../paths.ts';
import { awaitGone, identityOf, isAlive, signal } from '../process-identity.ts';
import type { ProcessIdentity } from '../process-identity.ts';
import { groupAndDescendants, killTree, readProcesses } from '../node/process-table.ts';
import { PART_NAMES } from './part-names.ts';
import { readRunRecord, removeRunRecord } from './run-records.ts';

const GRACE_MS = 5_000;

export interface Stray extends ProcessIdentity {
  readonly command: string;
}

/** Ends pods, then parts in reverse order, then strays; answers how many processes that were. */
export async function clearLeftovers(paths: Layout, instance: string | undefined): Promise<number> {
  let ended = await clearPods(paths);
  for (const part of [...PART_NAMES].reverse()) {
    const record = readRunRecord(paths, part);
    if (record && isAlive(record)) ended += await end([record], part === 'postgres' ? 'SIGINT' : 'SIGTERM');
    removeRunRecord(paths, part);
  }
  return ended + (instance === undefined ? 0 : await end(strays(paths, instance), 'SIGTERM'));
}

export async function clearPods(paths: Layout): Promise<number> {
  const files = podFiles(paths);
  const ended = await end(files.flatMap(readIdentities).filter(isAlive), 'SIGTERM');
  for (const file of files) rmSync(file, { force: true });
  return ended;
}

function podFiles(paths: Layout): string[] {
  const dir = join(paths.node, 'pods');
  return existsSync(dir) ? readdirSync(dir).filter((name) => name.endsWith('.json')).map((name) => join(dir, name)) : [];
}

function readIdentities(file: string): ProcessIdentity[] {
  try {
    return identitiesIn(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []; // The node removed it meanwhile.
    throw error;
  }
}

/** Pod records hold one identity per container. */
function identitiesIn(value: unknown): ProcessIdentity[] {
  if (typeof value !== 'object' || value === null) return [];
  const { pid, startTime } = value as Partial<ProcessIdentity>;
  if (typeof pid === 'number' && startTime !== undefined) return [{ pid, startTime: String(startTime) }];
  return Object.values(value).flatMap(identitiesIn);
}

async function end(identities: readonly ProcessIdentity[], gently: NodeJS.Signals): Promise<number> {
  const trees = identities.flatMap(({ pid }) => groupAndDescendants(pid)).filter((row) => row.pid !== process.pid);
  const all = new Map([...identities, ...trees].map((identity) => [identity.pid, identity]));
  for (const { pid } of identities) signal(pid, gently);
  const left = await awaitGone([...all.values()], GRACE_MS);
  for (const { pid } of left) {
    killTree(pid);
    signal(pid, 'SIGKILL');
  }
  await awaitGone(left, 2_000);
  return all.size;
}

/** Living processes that carry this instance's id, other than the caller and what is in `known`. */
export function strays(paths: Layout, instance: string, known: ReadonlySet<number> = new Set()): Stray[] {
  if (process.platform !== 'linux') return [];
  const found: Stray[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid || known.has(pid) || !carries(pid, paths, instance)) continue;
    const identity = identityOf(pid);
    if (identity) found.push({ ...identity, command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim().slice(0, 160) });
  }
  return found;
}

/** Processes that a running platform accounts for: supervisor, parts, pods, and what they started. */
export function accountedFor(paths: Layout): Set<number> {
  const records = [...PART_NAMES, 'supervisor' as const].flatMap((part) => readRunRecord(paths, part) ?? []);
  const roots = [...records, ...podFiles(paths).flatMap(readIdentities)].filter(isAlive);
  const rows = readProcesses();
  return new Set(roots.flatMap(({ pid }) => [pid, ...groupAndDescendants(pid, rows).map((row) => row.pid)]));
}

function carries(pid: number, paths: Layout, instance: string): boolean {
  if (readProc(pid, 'environ').split('\0').includes(`ADORABLE_INSTANCE=${instance}`)) return true;
  // PostgreSQL's children overwrite their environment with their title, but stay in their data directory.
  return readProc(pid, 'cmdline').startsWith('postgres: ') && workingDirectory(pid).startsWith(`${paths.data}/`);
}

function readProc(pid: number, file: 'environ' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // Gone meanwhile, or another user's: then it is none of ours.
  }
}

function workingDirectory(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return ''; // Gone meanwhile, or another user's: then it is none of ours.
  }
}
