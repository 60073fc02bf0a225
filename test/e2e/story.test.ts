/**
 * The seed's story on real engines, told by the same code as `npm run demo`: every fact is read
 * from the store that owns it, and a fact that does not hold fails the step.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readTimeline } from '../../client/reads.ts';
import { tellStory } from '../../cli/story/tell.ts';
import type { Told } from '../../cli/story/tell.ts';
import { openWorld } from '../../cli/story/world.ts';
import { checkout } from '../../local/engines/recipe.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';

const run = promisify(execFile);
let platform: TestPlatform;
let told: Told;
const steps: { name: string; evidence: unknown }[] = [];

beforeAll(async () => {
  platform = await startPlatform({ directus: true });
}, 900_000);
afterAll(async () => { await platform.close(); }, 60_000);

/** The command as a person types it. */
async function adorable(...args: string[]): Promise<{ code: number; json: Record<string, unknown> }> {
  const command = [join(checkout, 'cli', 'main.ts'), ...args, '--json', '--data', platform.data];
  try {
    const { stdout } = await run(process.execPath, command, { env: { ...process.env, NODE_OPTIONS: '' } });
    return { code: 0, json: JSON.parse(stdout) as Record<string, unknown> };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, json: JSON.parse(stdout) as Record<string, unknown> };
  }
}

describe('the story', () => {
  test('two apps, undo and redo hold in git, SQL, Kubernetes and HTTP', async () => {
    told = await tellStory(platform.open, {
      step: async (name, _what, work) => { steps.push({ name, evidence: await work() }); },
      follow: (started) => started.result,
      plan: () => undefined,
    });
    expect(steps.map((step) => step.name)).toEqual([
      'new', 'chat-finance', 'generate-finance', 'write-two', 'chat-blog', 'generate-blog', 'post', 'write-third', 'undo-plan', 'undo', 'redo', 'verify',
    ]);
  }, 400_000);

  test('the tree of moments keeps every node and marks where the project is', async () => {
    const entries = await readTimeline(platform.open.database, told.projectId);
    expect(entries.map((entry) => entry.kind)).toEqual(expect.arrayContaining(['provisioned', 'pre-generation', 'generated', 'pre-restore']));
    const current = entries.filter((entry) => entry.current);
    expect(current.map((entry) => entry.kind)).toEqual(['pre-restore', 'pre-restore']);
    expect(current[1]?.aliasOf).toBe(current[0]?.id);
  });

  test('no secret of the project is in git, in an annotation or in a workflow history', async () => {
    const world = openWorld(platform.open.platform, told.projectId);
    try {
      const secret = await world.secret('neon-compute-env', 'ADMIN_PASSWORD');
      const repo = join(platform.data, 'projects', told.projectId, 'repo');
      const found = await run('git', ['-c', 'safe.directory=*', '-C', repo, 'grep', '-F', secret, 'HEAD']).then(() => true, () => false);
      expect(found).toBe(false);
      const histories = await run(platform.open.platform.engines.temporal, ['workflow', 'show', '--address', `127.0.0.1:${String(platform.open.platform.ports.temporal)}`, '-w', `project/${told.projectId}`, '-o', 'json']);
      expect(histories.stdout).not.toContain(secret);
    } finally {
      await world.close();
    }
  });

  test('bad input is refused with its type, one sentence and its exit code, and changes nothing', async () => {
    const before = (await adorable('timeline', told.projectId)).json;
    expect(await adorable('timeline', 'zzzzzzzzzz')).toMatchObject({ code: 3, json: { error: { type: 'NotFound' } } });
    expect(await adorable('timeline', 'NOT AN ID')).toMatchObject({ code: 2, json: { error: { type: 'InvalidInput' } } });
    expect(await adorable('restore', told.projectId, 'cp_000000000000', '--yes')).toMatchObject({ code: 3, json: { error: { type: 'NotFound' } } });
    expect(await adorable('restore', told.projectId, 'before:nothing', '--yes')).toMatchObject({ code: 3, json: { error: { type: 'NotFound' } } });
    const current = (before as unknown as { id: string; current: boolean }[]).find((entry) => entry.current);
    expect(await adorable('restore', told.projectId, current?.id ?? '', '--yes')).toMatchObject({ code: 3, json: { error: { type: 'CurrentMoment', justOlder: expect.stringMatching(/^cp_/) } } });
    expect(await adorable('chat', told.projectId, 'make me a sandwich')).toMatchObject({ code: 3, json: { error: { type: 'NoBlueprint' } } });
    expect(await adorable('undo', told.projectId)).toMatchObject({ code: 3, json: { error: { type: 'PreconditionFailed' } } });
    expect(await adorable('logs', told.projectId, 'nothing')).toMatchObject({ code: 3, json: { error: { type: 'NotFound' } } });
    expect((await adorable('timeline', told.projectId)).json).toEqual(before);
  }, 120_000);

  test('a plan that is out of date is refused, and a dry run changes nothing', async () => {
    const plan = await adorable('undo', told.projectId, '--dry-run');
    expect(plan.json).toMatchObject({ archiveApps: [{ slug: 'blog' }], deprovisionServices: ['directus'] });
    expect(await adorable('bookmark', told.projectId, 'before the change')).toMatchObject({ code: 0, json: { outcome: 'recorded' } });
    expect(await adorable('undo', told.projectId, '--expect', String(plan.json['digest']), '--yes')).toMatchObject({ code: 3, json: { error: { type: 'ExpectationFailed' } } });
    expect(await adorable('verify', told.projectId)).toMatchObject({ code: 0, json: { ok: true, apps: ['blog', 'personal-finance'] } });
  }, 120_000);

  test('a deleted project leaves nothing but archived rows', async () => {
    expect(await adorable('delete', told.projectId, '--yes')).toMatchObject({ code: 0, json: { outcome: 'deleted' } });
    expect(await adorable('timeline', told.projectId)).toMatchObject({ code: 3 });
    const apps = await platform.open.database.query<{ archived: boolean }>('SELECT archived_at IS NOT NULL AS archived FROM project_apps WHERE project_id = $1', [told.projectId]);
    expect(apps).toHaveLength(2);
    expect(apps.every((app) => app.archived)).toBe(true);
  }, 120_000);
});
