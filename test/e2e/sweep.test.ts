/**
 * A sweep on real engines: what nothing refers to goes, what a listed checkpoint needs stays, and the
 * project is as restorable as before (I3, I6). Every fact is read from the store that owns it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { readAppTrees } from '../../activities/code/app-trees.ts';
import { createTimelineClient } from '../../activities/data/timeline-client.ts';
import type { TimelineClient } from '../../activities/data/timeline-client.ts';
import { readTimeline } from '../../client/reads.ts';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import type { World } from '../../cli/story/world.ts';
import { readSecret } from '../../local/platform.ts';
import { SWEEP_SCHEDULE } from '../../shared/contract/sweep.ts';
import { forkTimelineId, operationCheckpointId, tenantIdOf } from '../../shared/derive.ts';
import type { OperationId, ProjectId, TimelineId, TreeHash } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { generate, openProject } from '../support/project.ts';

const run = promisify(execFile);
const LEAKED_TREE = 'f'.repeat(40);
let platform: TestPlatform;
let projectId: ProjectId;
let world: World;
let timelines: TimelineClient;
/** A closed operation of the project, which the leaks below pretend to come from. */
let closed: OperationId;

const git = async (...args: string[]): Promise<string> =>
  (await run('git', ['-c', 'safe.directory=*', '-C', join(platform.data, 'projects', projectId, 'repo'), ...args])).stdout.trim();
const query = <T>(sql: string, values: unknown[] = []): Promise<T[]> => platform.open.database.query<T & object>(sql, values) as Promise<T[]>;
const fenceNow = async (): Promise<number> => Number((await query<{ fence: string }>('SELECT fence FROM projects WHERE id = $1', [projectId]))[0]?.fence);
const treePath = (tree: string): string => join(platform.data, 'projects', projectId, 'trees', tree);

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  ({ projectId, world } = await openProject(platform, 'Swept'));
  const { ports } = platform.open.platform;
  timelines = createTimelineClient({ url: `http://127.0.0.1:${String(ports.timeline)}`, token: readSecret(platform.data, 'timeline.token') });
  await platform.open.runtime.chat(projectId, 'a personal finance tracker');
  const generation = await platform.open.runtime.approvePlan(projectId);
  closed = generation.operationId;
  expect(await generation.result).toMatchObject({ outcome: 'generated', health: 'healthy' });
}, 900_000);

afterAll(async () => {
  await world.close();
  await platform.close();
}, 60_000);

/** One leak of each kind, as a killed run or a lost reply leaves it. */
async function leak(): Promise<{ timelineId: TimelineId; checkpointId: string }> {
  const tenant = tenantIdOf(projectId);
  const timelineId = forkTimelineId(closed);
  const checkpointId = operationCheckpointId(closed, 'leaked');
  const [root] = await query<{ timeline_id: string; lsn: Lsn; commit_sha: string; tree: string }>(`SELECT * FROM checkpoints WHERE project_id = $1 AND status = 'complete' ORDER BY ordinal LIMIT 1`, [projectId]);
  if (root === undefined) throw new Error('the project has no checkpoint');
  const served = root.timeline_id as TimelineId;
  await timelines.branchTimeline(tenant, timelineId, { ancestor: served, lsn: root.lsn });
  await timelines.pin(tenant, served, { pin: checkpointId, lsn: root.lsn });
  await query(
    `INSERT INTO checkpoints (id, project_id, operation_id, kind, commit_sha, tree, tenant_id, timeline_id, declared) VALUES ($1, $2, $3, 'pre-restore', $4, $5, $6, $7, '{"apps":[]}')`,
    [checkpointId, projectId, closed, root.commit_sha, LEAKED_TREE, tenant, served],
  );
  await git('update-ref', `refs/adorable/run/${closed}/leaked`, await git('commit-tree', 'HEAD^{tree}', '-m', 'leaked'));
  mkdirSync(join(platform.data, 'projects', projectId, 'scratch', closed), { recursive: true });
  mkdirSync(join(treePath(LEAKED_TREE), 'apps'), { recursive: true });
  return { timelineId, checkpointId };
}

describe('sweep', () => {
  test('the worker made its schedule', async () => {
    const connection = await Connection.connect({ address: `127.0.0.1:${String(platform.open.platform.ports.temporal)}` });
    const description = await new Client({ connection }).schedule.getHandle(SWEEP_SCHEDULE).describe();
    await connection.close();
    expect(description.action).toMatchObject({ workflowType: 'sweep' });
    expect(description.policies.overlap).toBe('SKIP');
  }, 30_000);

  test('a clean project: nothing goes, no operation is recorded, and a plan that was seen stays good', async () => {
    const before = await fenceNow();
    expect(await platform.open.runtime.sweep({ projectId })).toMatchObject({ projects: [{ projectId, state: 'swept', left: [], drift: [], orphans: [], reaped: { forks: [], pins: [], checkpoints: [], runs: [], trees: [] } }] });
    expect(await fenceNow()).toBe(before);
    expect(await query(`SELECT 1 FROM operations WHERE kind = 'sweep' AND project_id = $1`, [projectId])).toEqual([]);
  }, 60_000);

  test('a leaked fork, pin, intent, run ref and tree are reaped once; every listed checkpoint stays restorable, and undo and redo work', async () => {
    await addTransaction(world, 'Written before the sweep', -100);
    const { timelineId, checkpointId } = await leak();
    const tenant = tenantIdOf(projectId);
    const reaped = { forks: [timelineId], pins: [checkpointId], checkpoints: [checkpointId], runs: [closed], trees: [LEAKED_TREE] };
    const served = Object.values(await readAppTrees(join(platform.data, 'projects'), { projectId, tree: (await git('rev-parse', 'HEAD^{tree}')) as TreeHash }));
    const pinsBefore = (await timelines.listTimelines(tenant)).flatMap((info) => Object.keys(info.pins)).filter((pin) => pin !== checkpointId).sort();

    expect(await platform.open.runtime.sweep({ projectId, dryRun: true })).toMatchObject({ projects: [{ state: 'looked', reaped }] });
    expect(existsSync(treePath(LEAKED_TREE))).toBe(true);
    expect(await platform.open.runtime.sweep({ projectId })).toMatchObject({ projects: [{ state: 'swept', reaped, left: [] }] });

    const infos = await timelines.listTimelines(tenant);
    expect(infos.map((info) => info.timeline_id)).not.toContain(timelineId);
    expect(infos.flatMap((info) => Object.keys(info.pins)).sort()).toEqual(pinsBefore);
    expect(await query('SELECT status FROM checkpoints WHERE id = $1', [checkpointId])).toEqual([{ status: 'void' }]);
    expect(await git('for-each-ref', `refs/adorable/run/${closed}/`)).toBe('');
    expect(existsSync(join(platform.data, 'projects', projectId, 'scratch', closed))).toBe(false);
    expect(existsSync(treePath(LEAKED_TREE))).toBe(false);
    expect(served.map(treePath).filter(existsSync)).toHaveLength(1);
    expect(await query(`SELECT outcome FROM operations WHERE kind = 'sweep' AND project_id = $1`, [projectId])).toEqual([{ outcome: 'swept' }]);
    const all = await platform.open.runtime.sweep({});
    expect(all.projects.filter((swept) => swept.projectId === projectId)).toMatchObject([{ state: 'swept', reaped: { forks: [], pins: [], checkpoints: [], runs: [], trees: [] } }]);

    for (const entry of await readTimeline(platform.open.database, projectId)) {
      // Counted on a throw-away fork at the checkpoint's own LSN; its commit is in the repository.
      expect(Array.isArray((await timelines.inspect(tenant, entry.timelineId as TimelineId, entry.lsn as Lsn)).tables)).toBe(true);
      expect(await git('cat-file', '-t', entry.commit)).toBe('commit');
    }
    expect((await platform.open.runtime.verify(projectId)).differences).toEqual([]);
    expect(await (await platform.open.runtime.restore(projectId, 'undo')).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect(await (await platform.open.runtime.restore(projectId, 'redo')).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect(await transactions(world)).toContain('Written before the sweep');
    // Two restores later there is a past to keep: nothing of it is a leak.
    expect(await platform.open.runtime.sweep({ projectId })).toMatchObject({ projects: [{ state: 'swept', left: [], reaped: { forks: [], pins: [], checkpoints: [], runs: [], trees: [] } }] });
  }, 120_000);

  test('a busy project is skipped, and an operation that meets a sweep waits for it', async () => {
    const bookmark = await platform.open.runtime.bookmark(projectId, 'busy');
    const { projects } = await platform.open.runtime.sweep({ projectId });
    expect(await bookmark.result).toMatchObject({ outcome: 'recorded' });
    expect(['busy', 'swept']).toContain(projects[0]?.state);
    const [, recorded] = await Promise.all([platform.open.runtime.sweep({}), platform.open.runtime.bookmark(projectId, 'beside a sweep').then((started) => started.result)]);
    expect(recorded).toMatchObject({ outcome: 'recorded' });
  }, 60_000);
});

test('a stored kind that drifted is reported by verify and by a sweep, and nothing trusts it', async () => {
  await query(`UPDATE project_apps SET kind = 'react' WHERE project_id = $1 AND slug = 'personal-finance'`, [projectId]);
  const drift = { store: 'rows', what: 'the stored kind of personal-finance', expected: 'fullstack', found: 'react' };
  expect(await platform.open.runtime.verify(projectId)).toMatchObject({ ok: true, differences: [], drift: [drift] });
  expect((await platform.open.runtime.sweep({ projectId, dryRun: true })).projects[0]?.drift).toContainEqual(drift);
  // An operation renders what is derived: the app keeps its server and its login.
  expect(await (await platform.open.runtime.bookmark(projectId, 'drifted')).result).toMatchObject({ outcome: 'recorded' });
  await generate(platform, projectId, 'let me export the transactions as CSV');
  expect((await world.http('personal-finance', '/trpc/downloads.transactions?input=%7B%7D')).status).toBe(200);
}, 120_000);
