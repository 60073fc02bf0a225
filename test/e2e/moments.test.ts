/**
 * The tree of moments on real engines: undo ×3, redo ×3, a generation, undo ×2 on one project with
 * three apps of three blueprints. The moment digest (tree, data, declared state, manifests) is equal
 * at equal moments and different at different ones; data and code move alone where that parts
 * nothing (I1, I3).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import type { World } from '../../cli/story/world.ts';
import { readTimeline } from '../../client/reads.ts';
import { createSeal, createSecretStore } from '../../activities/secrets/index.ts';
import { readSecret } from '../../local/platform.ts';
import type { CheckpointId, ProjectId } from '../../shared/ids.ts';
import type { RestoreMode } from '../../shared/moment.ts';
import { drawTree } from '../../shared/restore/draw-tree.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { generate, openProject } from '../support/project.ts';

let platform: TestPlatform;
let projectId: ProjectId;
let world: World;
/** Digests of the moments that the first test names. */
const at: Record<string, string> = {};

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  ({ projectId, world } = await openProject(platform, 'Moments'));
}, 900_000);

afterAll(async () => {
  await world.close();
  await platform.close();
}, 60_000);

async function digest(): Promise<string> {
  const receipt = await platform.open.runtime.verify(projectId);
  expect(receipt.differences).toEqual([]);
  expect(receipt.momentDigest).toMatch(/^[0-9a-f]{64}$/);
  return receipt.momentDigest ?? '';
}

async function restore(target: string): Promise<void> {
  expect(await (await platform.open.runtime.restore(projectId, target)).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
}

describe('equal moments have equal digests', () => {
  test('undo ×3, redo ×3, a generation, undo ×2', async () => {
    at['empty'] = await digest();
    await generate(platform, projectId, 'a personal finance tracker');
    at['finance, no rows'] = await digest();
    await addTransaction(world, 'Written in finance', -100);
    at['finance'] = await digest();
    await generate(platform, projectId, 'a task board');
    at['both, no new rows'] = await digest();
    await addTransaction(world, 'Written beside the board', -200);
    at['both'] = await digest();
    await generate(platform, projectId, 'a portfolio as a separate app');
    at['three'] = await digest();
    expect(new Set(Object.values(at)).size).toBe(6);
    expect(await world.appDirs()).toEqual(['personal-finance', 'portfolio', 'task-board']);

    await restore('undo');
    expect(await digest()).toBe(at['both']);
    await restore('undo');
    expect(await digest()).toBe(at['finance']);
    await restore('undo');
    expect(await digest()).toBe(at['empty']);
    expect(await world.appDirs()).toEqual([]);
    await expect(platform.open.runtime.planRestore(projectId, 'undo')).rejects.toMatchObject({ type: 'PreconditionFailed' });
    await restore('redo');
    expect(await digest()).toBe(at['finance']);
    await restore('redo');
    expect(await digest()).toBe(at['both']);
    await restore('redo');
    expect(await digest()).toBe(at['three']);
    expect(await world.appDirs()).toEqual(['personal-finance', 'portfolio', 'task-board']);
    expect(await transactions(world)).toEqual(expect.arrayContaining(['Written in finance', 'Written beside the board']));
    await expect(platform.open.runtime.planRestore(projectId, 'redo')).rejects.toMatchObject({ type: 'PreconditionFailed' });

    // A generation ends the redo stack, never the tree.
    await restore('undo');
    await restore('undo');
    const undone = (await platform.open.runtime.planRestore(projectId, 'redo')).target.checkpointId;
    await generate(platform, projectId, 'a task board');
    await expect(platform.open.runtime.planRestore(projectId, 'redo')).rejects.toMatchObject({ type: 'PreconditionFailed' });
    await restore('undo');
    expect(await digest()).toBe(at['finance']);
    await restore('undo');
    expect(await digest()).toBe(at['empty']);
    await restore(undone);
    expect(await digest()).toBe(at['both']);
  }, 400_000);
});

describe('data and code move alone where that parts nothing', () => {
  const file = (): string => join(platform.data, 'projects', projectId, 'repo', 'apps', 'personal-finance', 'NOTES.md');
  const outcome = async (target: string, mode: RestoreMode, acceptDrift = false) => await (await platform.open.runtime.restore(projectId, target, { mode, acceptDrift })).result;
  const current = async (): Promise<string> => (await readTimeline(platform.open.database, projectId)).findLast((entry) => entry.current)?.id ?? '';

  test('a bookmark, then new code and new rows: `data` takes back the rows, `code` the code', async () => {
    expect(await (await platform.open.runtime.bookmark(projectId, 'before the notes')).result).toMatchObject({ outcome: 'recorded' });
    const bookmark = await current();
    writeFileSync(file(), 'A note.\n');
    await addTransaction(world, 'After the bookmark', -300);
    const plan = await platform.open.runtime.planRestore(projectId, bookmark, 'data');
    expect(plan).toMatchObject({ mode: 'data', schemaChanges: [], archiveApps: [], objects: { created: [], deleted: [] } });
    expect(plan.rows).toEqual([expect.objectContaining({ label: 'personal-finance.transactions', now: 3, then: 2 })]);

    expect(await outcome(bookmark, 'data')).toMatchObject({ outcome: 'restored', health: 'healthy', receipt: { ok: true } });
    expect(await transactions(world)).not.toContain('After the bookmark');
    expect(existsSync(file())).toBe(true);
    await digest();

    await addTransaction(world, 'Kept by code', -400);
    expect(await outcome(bookmark, 'code')).toMatchObject({ outcome: 'restored', health: 'healthy', receipt: { ok: true } });
    expect(existsSync(file())).toBe(false);
    expect(await transactions(world)).toContain('Kept by code');
    await digest();
  }, 240_000);

  test('data alone may go to the current moment, the whole project may not', async () => {
    expect(await (await platform.open.runtime.bookmark(projectId, 'here')).result).toMatchObject({ outcome: 'recorded' });
    const here = await current();
    await addTransaction(world, 'A mistake', -500);
    await expect(platform.open.runtime.planRestore(projectId, here)).rejects.toMatchObject({ type: 'CurrentMoment' });
    expect(await outcome(here, 'data')).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect(await transactions(world)).not.toContain('A mistake');
    expect(await transactions(world)).toContain('Kept by code');
    await restore('redo');
    expect(await transactions(world)).toContain('A mistake');
  }, 240_000);

  test('a mode that would part code and schema is refused, names the changes and steers to all; --accept-drift does it', async () => {
    for (const mode of ['data', 'code'] as const) {
      await expect(platform.open.runtime.planRestore(projectId, 'before:task-board', mode)).rejects.toMatchObject({
        type: 'PreconditionFailed', message: expect.stringMatching(/task-board: 0001_init\.sql.*--mode all.*--accept-drift/), details: { instead: 'all', schemaChanges: [{ owner: 'task-board', change: 'undone' }] },
      });
      expect(await outcome('before:task-board', mode)).toMatchObject({ outcome: 'unchanged', failure: 'PreconditionFailed' });
    }
    expect(await platform.open.runtime.planRestore(projectId, 'before:task-board')).toMatchObject({
      schemaChanges: [{ owner: 'task-board', name: '0001_init.sql', change: 'undone' }], objects: { deleted: expect.arrayContaining(['Deployment/app-task-board', 'Ingress/app-task-board']) },
    });
    expect(await outcome('before:task-board', 'data', true)).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect((await world.http('task-board', '/trpc/health')).status).toBe(200);
    await digest();
  }, 240_000);
});

describe('what is recorded can be asked for again', () => {
  /** A connection of the test's own, by password: how the server answers it. */
  async function login(user: string, password: string): Promise<string> {
    const client = new pg.Client({ ...(await world.computeAddress()), user, password, connectionTimeoutMillis: 5000 });
    try {
      await client.connect();
      await client.query('SELECT 1');
      return 'connected';
    } catch (error) {
      return String((error as { code?: unknown }).code);
    } finally {
      await client.end();
    }
  }

  const sessions = async (role: string): Promise<string[]> =>
    (await world.sql<{ session: string }>(`SELECT pid || ' since ' || backend_start AS session FROM pg_stat_activity WHERE usename = $1`, [role])).map((row) => row.session);

  test('a rotated database password revives in the branch, is named, and the app connects with the new one alone after undo and redo', async () => {
    const [app] = await platform.open.database.query<{ id: string }>(`SELECT id FROM project_apps WHERE project_id = $1 AND slug = 'personal-finance' AND archived_at IS NULL`, [projectId]);
    const role = app?.id ?? '';
    const [old, rotated] = [await world.secret('app-personal-finance-env', 'PGPASSWORD'), 'f'.repeat(48)];
    expect(await login(role, old)).toBe('connected');
    const store = createSecretStore({ database: platform.open.database, seal: createSeal(readSecret(platform.data, 'master.key')) });
    await store.rotateSecret(projectId, `app/${role}/PGPASSWORD`, rotated);
    expect(await platform.open.runtime.planRestore(projectId, 'before:task-board')).toMatchObject({ revives: [{ secret: 'app personal-finance PGPASSWORD', then: 1, now: 2 }] });

    let before = await sessions(role);
    for (const target of ['before:task-board', 'redo']) {
      await restore(target);
      expect(await world.secret('app-personal-finance-env', 'PGPASSWORD')).toBe(rotated);
      await addTransaction(world, `With the new password after ${target}`, -600);
      // What the app wrote through is a session of its own since the restore.
      const now = await sessions(role);
      expect(now.length).toBeGreaterThan(0);
      expect(now.filter((session) => before.includes(session))).toEqual([]);
      expect([await login(role, rotated), await login(role, old)]).toEqual(['connected', '28P01']);
      before = now;
    }
    expect((await platform.open.runtime.verify(projectId)).secretVersions).toMatchObject({ [`app/${role}/PGPASSWORD`]: 2 });
  }, 240_000);

  test('every listed moment is reachable, and a past one is proven restorable without restoring it', async () => {
    const entries = await readTimeline(platform.open.database, projectId, platform.open.timelines);
    expect(entries.filter((entry) => entry.reachable !== true)).toEqual([]);
    const lines = drawTree(entries);
    expect(lines.filter((line) => line.current)).toHaveLength(1);
    const before = await digest();
    for (const kind of ['provisioned', 'generated', 'pre-restore', 'manual']) {
      const entry = entries.find((candidate) => candidate.kind === kind);
      expect(await platform.open.runtime.verifyCheckpoint(projectId, entry?.id ?? '' as CheckpointId)).toMatchObject({ ok: true, differences: [], commit: entry?.commit, apps: entry?.apps });
    }
    expect(await digest()).toBe(before);
  }, 240_000);

  test('a moment whose data is gone is shown so, refused, and not restorable', async () => {
    const { database, timelines, runtime } = platform.open;
    const gone = (await readTimeline(database, projectId)).find((entry) => entry.kind === 'generated');
    await database.query(`UPDATE checkpoints SET lsn = '0/1' WHERE id = $1`, [gone?.id]);
    expect((await readTimeline(database, projectId, timelines)).find((entry) => entry.id === gone?.id)).toMatchObject({ reachable: false });
    await expect(runtime.planRestore(projectId, gone?.id ?? '')).rejects.toMatchObject({ type: 'Unreachable' });
    expect(await runtime.verifyCheckpoint(projectId, gone?.id ?? '' as CheckpointId)).toMatchObject({ ok: false, differences: [{ store: 'timeline', expected: 'readable' }] });
    await database.query('UPDATE checkpoints SET lsn = $2 WHERE id = $1', [gone?.id, gone?.lsn]);
    await expect(runtime.verifyCheckpoint(projectId, 'cp_zzzzzzzzzzzz' as CheckpointId)).rejects.toMatchObject({ type: 'NotFound' });
  }, 120_000);
});
