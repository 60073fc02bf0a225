/**
 * Every door leads through `startGeneration`: a generation that dies at any point, and whichever door
 * comes next, end where an undisturbed approval ends. Nothing ever lands in the primary app's tree
 * (seed costume 2; I4, I5), and an app under an archived one's slug is another app.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Connection, Client } from '@temporalio/client';
import type { Started } from '../../client/runtime.ts';
import type { World } from '../../cli/story/world.ts';
import { approveRevision } from '../../activities/records/plan-revisions.ts';
import type { GenerationDoor } from '../../shared/contract/generate-project.ts';
import { projectWorkflowId } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { generate, openProject } from '../support/project.ts';

const run = promisify(execFile);
const BOARD = 'a task board';
let platform: TestPlatform;
let projectId: ProjectId;
let world: World;
let connection: Connection;
let temporal: Client;
let primaryTree: string;
let undisturbed: Awaited<ReturnType<typeof endState>>;

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  connection = await Connection.connect({ address: `127.0.0.1:${String(platform.open.platform.ports.temporal)}` });
  temporal = new Client({ connection });
  ({ projectId, world } = await openProject(platform, 'Doors'));
  await generate(platform, projectId, 'a personal finance tracker');
  primaryTree = await git('rev-parse', 'HEAD:apps/personal-finance');
  await generate(platform, projectId, BOARD);
  undisturbed = await endState();
}, 900_000);

beforeEach(async () => {
  if ((await world.appDirs()).includes('task-board')) await undo();
}, 60_000);

afterAll(async () => {
  await world.close();
  await connection.close();
  await platform.close();
}, 60_000);

const git = async (...args: string[]): Promise<string> =>
  (await run('git', ['-c', 'safe.directory=*', '-C', join(platform.data, 'projects', projectId, 'repo'), ...args])).stdout.trim();

/** What is there, without the ids that belong to one revision. */
async function endState() {
  const { database } = platform.open;
  const apps = await database.query<{ id: string; slug: string }>(
    `SELECT id, slug, name, kind, is_primary, state FROM project_apps WHERE project_id = $1 AND archived_at IS NULL ORDER BY slug`, [projectId],
  );
  const schemas = await world.sql<{ name: string }>(`SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'a\\_%' ORDER BY 1`);
  const [project] = await database.query('SELECT status, services FROM projects WHERE id = $1', [projectId]);
  const [revision] = await database.query('SELECT status FROM plan_revisions WHERE project_id = $1 ORDER BY number DESC LIMIT 1', [projectId]);
  const [open] = await database.query('SELECT count(*)::int AS count FROM operations WHERE project_id = $1 AND outcome IS NULL', [projectId]);
  const scratch = join(platform.data, 'projects', projectId, 'scratch');
  return {
    apps: apps.map(({ id: _id, ...rest }) => rest),
    trees: Object.fromEntries(await Promise.all((await world.appDirs()).map(async (slug) => [slug, await git('rev-parse', `HEAD:apps/${slug}`)]))),
    schemas: schemas.map(({ name }) => apps.find(({ id }) => id === name)?.slug ?? 'nobody\'s').sort(),
    deployments: await world.names('deployments'),
    answers: await Promise.all(apps.map(async ({ slug }) => [slug, (await world.http(slug, '/trpc/health')).status])),
    project, revision, open,
    runRefs: await git('for-each-ref', 'refs/adorable/run'),
    scratch: existsSync(scratch) ? readdirSync(scratch) : [],
  };
}

async function undo(): Promise<void> {
  expect(await (await platform.open.runtime.restore(projectId, 'undo')).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
  expect(await world.appDirs()).toEqual(['personal-finance']);
}

/** Until an activity of the run, or of one of its children, has completed: a point in a history, not in time. */
async function passed(started: Started<unknown>, { activity, child = '' }: { activity: string; child?: string }): Promise<void> {
  const parent = projectWorkflowId(projectId);
  const id = child === '' ? parent : `${parent}/${started.operationId}/${child}`;
  for (;; await sleep(10)) {
    const events = await temporal.workflow.getHandle(id).fetchHistory().then((history) => history.events ?? [], () => []);
    const scheduled = events.filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity).map((event) => String(event.eventId));
    if (events.some((event) => scheduled.includes(String(event.activityTaskCompletedEventAttributes?.scheduledEventId)))) return;
    if (child === '' && events.some((event) => event.workflowExecutionCompletedEventAttributes != null)) throw new Error(`the run ended before ${activity}`);
  }
}

/** A sample on the real engines; every door at every point is `test/workflow/doors.test.ts`. */
const POINTS: readonly (readonly [string, { activity: string; child?: string }, GenerationDoor, GenerationDoor, boolean])[] = [
  ['the row', { activity: 'ensurePendingApp', child: 'materialize/task-board' }, 'trigger_generation', 'resume', false],
  ['the commit', { activity: 'composeCommit' }, 'approve_plan', 'retry', false],
  ['the decision', { activity: 'decide' }, 'retry', 'iteration_carryover', true],
  ['the migration', { activity: 'convergeSchema' }, 'iteration_carryover', 'approve_plan', true],
];

describe('a generation that dies', () => {
  test('after the approval, before any run: the trigger that comes next ends where an undisturbed approval ends', async () => {
    await platform.open.runtime.chat(projectId, BOARD);
    await approveRevision(platform.open.database, projectId);
    expect(await (await platform.open.runtime.startGeneration(projectId, 'trigger_generation')).result).toMatchObject({ outcome: 'generated', health: 'healthy' });
    expect(await endState()).toEqual(undisturbed);
  }, 120_000);

  test.each(POINTS)('after %s, by whichever door it came: the next door ends where an undisturbed approval ends', async (_what, point, first, next, isDecided) => {
    const { revisionId } = await platform.open.runtime.chat(projectId, BOARD);
    await approveRevision(platform.open.database, projectId, revisionId);
    const started = await platform.open.runtime.startGeneration(projectId, first);
    started.result.catch(() => undefined); // Terminated below: its failure is the point.
    await passed(started, point);
    await temporal.workflow.getHandle(projectWorkflowId(projectId)).terminate('test');
    expect(await git('rev-parse', 'HEAD:apps/personal-finance')).toBe(primaryTree);

    const outcome = await (await platform.open.runtime.startGeneration(projectId, next)).result;
    // What was decided is finished first; then there is nothing left to generate, and that door says so.
    expect(outcome).toMatchObject(isDecided ? { outcome: 'unchanged', failure: 'PreconditionFailed' } : { outcome: 'generated', health: 'healthy' });
    expect(await endState()).toEqual(undisturbed);
    expect(await git('rev-parse', 'HEAD:apps/personal-finance')).toBe(primaryTree);
    expect((await platform.open.runtime.verify(projectId)).differences).toEqual([]);
  }, 120_000);
});

describe('an app under an archived one\'s slug', () => {
  const cards = async (): Promise<string[]> => (await world.http('task-board', '/trpc/cards.list')).json<{ result: { data: { title: string }[] } }>().result.data.map((card) => card.title);
  const add = async (title: string) => { expect((await world.http('task-board', '/trpc/cards.create', { method: 'POST', body: { title } })).status).toBe(200); };
  const boards = async () => await platform.open.database.query<{ id: string; live: boolean }>(
    `SELECT id, archived_at IS NULL AS live FROM project_apps WHERE project_id = $1 AND slug = 'task-board' ORDER BY created_at DESC LIMIT 2`, [projectId],
  );
  const build = async (): Promise<string> => {
    await generate(platform, projectId, BOARD);
    const [board] = await boards();
    return board?.id ?? '';
  };
  const served = async () => ({
    cards: await cards(), schemas: (await world.sql<{ name: string }>(`SELECT nspname AS name FROM pg_namespace WHERE nspname LIKE 'a\\_%'`)).map(({ name }) => name),
    user: await world.secret('app-task-board-env', 'PGUSER'), live: (await boards()).filter(({ live }) => live).map(({ id }) => id),
  });

  test('is another app: rows, schema and objects of the two never mix, through undo, redo and a restore of either', async () => {
    const first = await build();
    await add('Of the first board');
    await undo();
    const [snapshot] = await platform.open.database.query<{ redo_stack: string[] }>('SELECT redo_stack FROM projects WHERE id = $1', [projectId]);
    const ofFirst = snapshot?.redo_stack.at(-1) ?? '';

    const second = await build();
    expect(second).not.toBe(first);
    expect(await cards()).toEqual([]);
    await add('Of the second board');
    const isSecond = { cards: ['Of the second board'], schemas: expect.not.arrayContaining([first]), user: second, live: [second] };
    expect(await served()).toEqual(isSecond);
    await undo();
    expect((await platform.open.runtime.verify(projectId)).differences).toEqual([]);
    expect(await (await platform.open.runtime.restore(projectId, 'redo')).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect(await served()).toEqual(isSecond);

    expect(await (await platform.open.runtime.restore(projectId, ofFirst)).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect(await served()).toEqual({ cards: ['Of the first board'], schemas: expect.not.arrayContaining([second]), user: first, live: [first] });
    expect((await platform.open.runtime.verify(projectId)).differences).toEqual([]);
    expect(await git('rev-parse', 'HEAD:apps/personal-finance')).toBe(primaryTree);
  }, 180_000);
});

test('a plan that was edited into another is refused: nothing produced, project idle, primary tree as it was', async () => {
  const { revisionId } = await platform.open.runtime.chat(projectId, BOARD);
  const ref = `refs/adorable/plan/${revisionId}`;
  const edited = (await git('show', `${ref}:.adorable/spec.json`)).replaceAll('"$NEW:task-board"', '"$NEW:ghost"');
  const repo = join(platform.data, 'projects', projectId, 'repo');
  const blob = (await run('bash', ['-c', `git -c safe.directory='*' -C "$1" hash-object -w --stdin <<< "$2"`, 'edit', repo, edited])).stdout.trim();
  const script = `export GIT_INDEX_FILE=$(mktemp -u); git -C "$1" read-tree "$2" && git -C "$1" update-index --cacheinfo 100644,$3,.adorable/spec.json && git -C "$1" update-ref "$2" $(git -C "$1" -c user.name=Person -c user.email=p@example.com commit-tree -m edited $(git -C "$1" write-tree))`;
  await run('bash', ['-c', script, 'edit', repo, ref, blob], { env: { ...process.env, GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' } });
  const before = await endState();
  const outcome = await (await platform.open.runtime.approvePlan(projectId, revisionId)).result;
  expect(outcome).toMatchObject({ outcome: 'unchanged', failure: 'PlanRefused' });
  expect(await endState()).toEqual({ ...before, revision: { status: 'approved' }, project: { ...before.project, status: 'idle' } });
  expect(await git('rev-parse', 'HEAD:apps/personal-finance')).toBe(primaryTree);
}, 120_000);
