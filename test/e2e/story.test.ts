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
import { adorable as runCommand } from '../support/command.ts';
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

const adorable = (...args: string[]) => runCommand(platform.data, ...args);

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

  test('bad input is refused with its type, one sentence and its exit code; that and a dry run change nothing', async () => {
    const id = told.projectId;
    const before = (await adorable('timeline', id)).json;
    const current = (before as unknown as { id: string; current: boolean }[]).find((entry) => entry.current)?.id ?? '';
    const answers = [
      [['timeline', 'zzzzzzzzzz'], { code: 3, json: { error: { type: 'NotFound' } } }],
      [['timeline', 'NOT AN ID'], { code: 2, json: { error: { type: 'InvalidInput' } } }],
      [['restore', id, 'cp_000000000000', '--yes'], { code: 3, json: { error: { type: 'NotFound' } } }],
      [['restore', id, 'before:nothing', '--yes'], { code: 3, json: { error: { type: 'NotFound' } } }],
      [['restore', id, current, '--yes'], { code: 3, json: { error: { type: 'CurrentMoment', justOlder: expect.stringMatching(/^cp_/) } } }],
      [['chat', id, 'make me a sandwich'], { code: 3, json: { error: { type: 'NoBlueprint' } } }],
      [['undo', id], { code: 3, json: { error: { type: 'PreconditionFailed' } } }],
      [['logs', id, 'nothing'], { code: 3, json: { error: { type: 'NotFound' } } }],
      [['undo', id, '--dry-run'], { code: 0, json: { archiveApps: [{ slug: 'blog' }], deprovisionServices: ['directus'] } }],
      [['verify', id], { code: 0, json: { ok: true, apps: ['blog', 'personal-finance'] } }],
    ] as const;
    // Reads and refusals: none waits for another.
    await Promise.all(answers.map(async ([command, answer]) => { expect([command, await adorable(...command)]).toMatchObject([command, answer]); }));
    expect((await adorable('timeline', id)).json).toEqual(before);
  }, 120_000);

  test('a deleted project leaves nothing but archived rows', async () => {
    expect(await adorable('delete', told.projectId, '--yes')).toMatchObject({ code: 0, json: { outcome: 'deleted' } });
    expect(await adorable('timeline', told.projectId)).toMatchObject({ code: 3 });
    const apps = await platform.open.database.query<{ archived: boolean }>('SELECT archived_at IS NOT NULL AS archived FROM project_apps WHERE project_id = $1', [told.projectId]);
    expect(apps).toHaveLength(2);
    expect(apps.every((app) => app.archived)).toBe(true);
  }, 120_000);
});
