/**
 * The project that is undone: a finance tracker with as much data as wanted, then a task board
 * beside it. Undo goes to the moment before the board: an LSN that lies in the past of a running
 * timeline, with rows written after it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readTimeline } from '../../client/reads.ts';
import type { OpenRuntime } from '../../client/open.ts';
import type { Started } from '../../client/runtime.ts';
import { openWorld } from '../../cli/story/world.ts';
import type { World } from '../../cli/story/world.ts';
import { layout } from '../../local/paths.ts';
import type { TimelineState } from '../../local/timeline/state.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { ProjectId, TimelineId } from '../../shared/ids.ts';
import { compareLsn, parseLsn, type Lsn } from '../../shared/lsn.ts';

export const FIRST_APP = 'personal-finance';
const ROW_BYTES = 1000;
const CHUNK_ROWS = 50_000;
const BASE_PATIENCE_MS = 180_000;

export interface BenchProject {
  readonly projectId: ProjectId;
  readonly world: World;
  readonly timelines: string;
  /** Where undo goes. */
  readonly target: { readonly timelineId: TimelineId; readonly lsn: Lsn; readonly commit: string };
  readonly databaseBytes: number;
}

export async function concluded(started: Started<OperationOutcome>): Promise<OperationOutcome> {
  const outcome = await started.result;
  if (outcome.outcome === 'unchanged' || outcome.health !== 'healthy') {
    throw new Error(`${outcome.message} ${outcome.degraded.map(({ name, reason }) => `${name}: ${reason}`).join('; ')}`);
  }
  return outcome;
}

export async function makeProject(open: OpenRuntime, bytes: number, note: (text: string) => void): Promise<BenchProject> {
  const { runtime, platform, database } = open;
  const started = await runtime.createProject('Bench');
  const { projectId } = started;
  await concluded(started);
  await runtime.chat(projectId, 'a personal finance tracker');
  await concluded(await runtime.approvePlan(projectId));
  const world = openWorld(platform, projectId);
  await fill(world, bytes, note);
  const [row] = await database.query<{ tenant_id: string; timeline_id: TimelineId }>('SELECT tenant_id, timeline_id FROM projects WHERE id = $1', [projectId]);
  const timelines = join(layout(platform.dataDir).timelines, row?.tenant_id ?? '');
  await settled(world, join(timelines, row?.timeline_id ?? ''));
  await writeRow(world, 'before');
  await runtime.chat(projectId, 'add a kanban task board as a separate app');
  await concluded(await runtime.approvePlan(projectId));
  await writeRow(world, 'after');
  const target = (await readTimeline(database, projectId)).findLast((entry) => entry.kind === 'pre-generation');
  if (target?.lsn == null) throw new Error('The generation left no moment to go back to.');
  const [size] = await world.sql<{ bytes: string }>(`SELECT pg_database_size('app')::text AS bytes`);
  return {
    projectId, world, timelines, databaseBytes: Number(size?.bytes ?? 0),
    target: { timelineId: target.timelineId as TimelineId, lsn: parseLsn(target.lsn), commit: target.commit },
  };
}

/** Whether the app answers a question that only its database can answer. */
export async function answers(world: World): Promise<boolean> {
  return (await world.http(FIRST_APP, '/trpc/transactions.list')).status === 200;
}

async function writeRow(world: World, description: string): Promise<void> {
  const { status, body } = await world.http(FIRST_APP, '/trpc/transactions.create', { method: 'POST', body: { description, amountCents: 100 } });
  if (status !== 200) throw new Error(`The app did not take a row: ${String(status)} ${body.slice(0, 200)}`);
}

async function fill(world: World, bytes: number, note: (text: string) => void): Promise<void> {
  const [schema] = await world.sql<{ name: string }>(`SELECT quote_ident(schemaname) AS name FROM pg_tables WHERE tablename = 'transactions' AND schemaname LIKE 'a\\_%'`);
  const table = `${schema?.name ?? ''}.payload`;
  await world.sql(`CREATE TABLE ${table} (id bigint PRIMARY KEY, body text NOT NULL)`);
  const rows = Math.ceil(bytes / (ROW_BYTES + 60));
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    await world.sql(`INSERT INTO ${table} SELECT i, repeat(md5(i::text), ${String(Math.floor(ROW_BYTES / 32))}) FROM generate_series($1::bigint, $2::bigint) i`, [from, Math.min(rows, from + CHUNK_ROWS) - 1]);
    note(`filled ${String(Math.min(rows, from + CHUNK_ROWS))} of ${String(rows)} rows`);
  }
  await world.sql('CHECKPOINT');
}

/** After much has been written, the compute makes another base by itself: the usual state of a project that lives. */
async function settled(world: World, timeline: string): Promise<void> {
  for (const deadline = Date.now() + BASE_PATIENCE_MS; Date.now() < deadline; await sleep(500)) {
    const newest = timelineAt(timeline).bases.map((base) => base.lsn).toSorted(compareLsn).at(-1);
    const [row] = await world.sql<{ small: boolean }>(`SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), $1::pg_lsn) <= greatest(64 * 1024 * 1024, pg_database_size('app') / 4) AS small`, [newest]);
    if (row?.small === true && readdirSync(join(timeline, 'bases')).every((name) => !name.startsWith('.'))) return;
  }
  throw new Error('The compute made no further base of the filled timeline.');
}

export function timelineAt(folder: string): TimelineState {
  return JSON.parse(readFileSync(join(folder, 'timeline.json'), 'utf8')) as TimelineState;
}
