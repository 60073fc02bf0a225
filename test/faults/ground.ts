/**
 * Where the shapes happen: one project that is moved between its places by undisturbed operations,
 * and what must be in it, which the harness knows because it wrote every row itself (I3). Projects
 * that are provisioned and deleted are others, each its own.
 */
import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { openWorld } from '../../cli/story/world.ts';
import type { World } from '../../cli/story/world.ts';
import type { Started } from '../../client/runtime.ts';
import { approveRevision } from '../../activities/records/plan-revisions.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import { until } from './engines.ts';
import type { Engines } from './engines.ts';
import type { Place, RealShape } from './real-shapes.ts';
import { straightOf } from './real-shapes.ts';
import type { Operation } from './run-case.ts';

const FINANCE = 'personal-finance';
const BOARD = 'task-board';
export const APPS: Readonly<Record<Place, readonly string[]>> = { one: [FINANCE], two: [FINANCE, BOARD], noted: [FINANCE], absent: [], provisioned: [] };

export interface Ground {
  readonly place: Place;
  /** Rows that must be there now. */
  readonly rows: readonly string[];
  /** Of the object of someone else that was put into its namespace. */
  readonly foreignUid: string | undefined;
  goTo(place: Place): Promise<void>;
  /** Writes a row, and says what to run and which rows must be there when it went all the way. */
  begin(shape: RealShape): Promise<{ readonly operation: Operation; readonly rows: readonly string[] }>;
  /** What became of it: all the way, or nothing. */
  went(shape: RealShape, allTheWay: boolean): void;
}

export async function must(started: Promise<Started<OperationOutcome>>, wanted: string): Promise<OperationOutcome> {
  const outcome = await (await started).result;
  if (outcome.outcome !== wanted) throw new Error(`${outcome.outcome}, not ${wanted}: ${outcome.message}`);
  return outcome;
}

/** The one project that most shapes move about. */
export interface ProjectGround extends Ground {
  readonly projectId: ProjectId;
  readonly world: World;
  /** Somebody else wrote: from now on these are the rows that must be there. */
  holds(rows: readonly string[]): void;
  /** Takes the object of someone else away again. */
  clear(): Promise<void>;
}

export async function openGround(engines: Engines): Promise<ProjectGround> {
  const { runtime, database, platform } = engines.platform.open;
  const created = await runtime.createProject('Faults');
  const { projectId } = created;
  await created.result;
  const world = openWorld(platform, projectId);
  const { metadata } = await engines.kube.request<{ metadata: { uid: string } }>({
    method: 'POST', path: `/api/v1/namespaces/${namespaceName(projectId)}/configmaps`, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'of-someone-else' }, data: { keep: 'this' } },
  });
  let place: Place = 'one';
  let rows: string[] = [];
  /** Rows at the moment before the board's generation; those of the snapshot that a redo goes to, and of the bookmark that data and code go to. */
  let early: readonly string[] = [];
  let snapshot: readonly string[] | undefined;
  let bookmark: { readonly id: string; readonly rows: readonly string[] } | undefined;
  let noted: string | undefined;
  let written = 0;

  async function propose(message: string): Promise<{ door: string; revisionId: string }> {
    const { revisionId } = await runtime.chat(projectId, message);
    await approveRevision(database, projectId, revisionId);
    return { door: 'approve_plan', revisionId };
  }

  async function generate(message: string): Promise<void> {
    await runtime.chat(projectId, message);
    await must(runtime.approvePlan(projectId), 'generated');
  }

  /** By the app's own login, so that the write is one that the app's freeze must refuse. */
  async function write(): Promise<void> {
    written += 1;
    const name = `row ${String(written).padStart(4, '0')}`;
    await until('a write', async () => {
      const client = new pg.Client({ ...(await world.computeAddress()), user: await world.secret('app-personal-finance-env', 'PGUSER'), password: await world.secret('app-personal-finance-env', 'PGPASSWORD'), connectionTimeoutMillis: 5000 });
      client.on('error', () => undefined);
      await client.connect();
      try {
        await client.query(`INSERT INTO transactions (account_id, category_id, occurred_on, description, amount_cents)
          SELECT (SELECT min(id) FROM accounts), (SELECT min(id) FROM categories), current_date, $1, 100 WHERE NOT EXISTS (SELECT FROM transactions WHERE description = $1)`, [name]);
      } finally {
        await client.end();
      }
      return true;
    });
    rows = [...rows, name];
  }

  async function ensureBookmark(): Promise<{ id: string; rows: readonly string[] }> {
    bookmark ??= { id: (await must(runtime.bookmark(projectId, 'here'), 'recorded')).undo ?? '', rows };
    return bookmark;
  }

  /** A bookmark commits the note; that it is also served is what a restore does. */
  async function takeNote(): Promise<void> {
    const plain = await ensureBookmark();
    if (noted === undefined) {
      writeFileSync(engines.projectPath(projectId, 'repo', 'apps', FINANCE, 'NOTES.md'), 'A note.\n');
      noted = (await must(runtime.bookmark(projectId, 'with a note'), 'recorded')).undo ?? '';
      await must(runtime.restore(projectId, plain.id, { mode: 'code' }), 'restored');
    }
    await must(runtime.restore(projectId, noted, { mode: 'code' }), 'restored');
  }

  async function step(): Promise<void> {
    if (place === 'noted') {
      await must(runtime.restore(projectId, (await ensureBookmark()).id, { mode: 'code' }), 'restored');
      stayAtOne();
    } else if (place === 'two') {
      await must(runtime.restore(projectId, 'undo'), 'restored');
      arriveAtOne();
    } else if (snapshot !== undefined) {
      await must(runtime.restore(projectId, 'redo'), 'restored');
      arriveAtTwo(snapshot);
    } else {
      await generate('a task board');
      arriveAtTwo(rows);
      early = rows;
    }
  }

  const arriveAtOne = (): void => { snapshot = rows; rows = [...early]; place = 'one'; };
  /** A restore of data or code alone leaves a snapshot of its own, which a redo would go to. */
  const stayAtOne = (): void => { snapshot = undefined; place = 'one'; };
  const arriveAtTwo = (now: readonly string[]): void => { rows = [...now]; snapshot = undefined; place = 'two'; };

  await generate('a personal finance tracker');
  await write();
  return {
    projectId, world, foreignUid: metadata.uid,
    get place() { return place; },
    get rows() { return rows; },
    holds(now) { rows = [...now]; },
    clear: async () => { await engines.kube.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespaceName(projectId)}/configmaps/of-someone-else` }); },
    async goTo(wanted) {
      if (wanted === 'noted' && place !== 'noted') {
        if (place === 'two') await step();
        await takeNote();
        place = 'noted';
      }
      while (place !== wanted) await step();
    },
    async begin(shape) {
      const name = straightOf(shape);
      // For a redo to have somewhere to go to, the place must have been reached by an undo.
      if (name === 'restore redo' && snapshot === undefined) { await step(); await step(); }
      const marked = name === 'restore data' || name === 'restore code' ? await ensureBookmark() : undefined;
      await write();
      const run = (workflow: string, request: object): Operation => ({ workflow, projectId, request });
      if (name === 'restore undo') return { operation: run('restoreProject', { target: 'undo', mode: 'all' }), rows: early };
      if (name === 'restore redo') return { operation: run('restoreProject', { target: 'redo', mode: 'all' }), rows: snapshot ?? [] };
      if (name === 'restore data') return { operation: run('restoreProject', { target: marked?.id, mode: 'data' }), rows: marked?.rows ?? [] };
      if (name === 'restore code') return { operation: run('restoreProject', { target: marked?.id, mode: 'code' }), rows };
      if (name === 'bookmark') return { operation: run('recordBookmark', { label: 'a bookmark' }), rows };
      if (name === 'generate') return { operation: run('generateProject', await propose('a task board')), rows };
      throw new Error(`${shape.name} does not happen on this ground`);
    },
    went(shape, allTheWay) {
      const name = straightOf(shape);
      if (!allTheWay) return;
      if (name === 'restore undo') arriveAtOne();
      if (name === 'restore redo') arriveAtTwo(snapshot ?? []);
      if (name === 'restore data') rows = [...(bookmark?.rows ?? [])];
      if (name === 'restore data' || name === 'restore code') stayAtOne();
      if (name === 'generate') { early = rows; arriveAtTwo(rows); }
    },
  };
}
