/**
 * The story of the ten messages as tests, whoever makes the code: after each message every app answers
 * over HTTP and the new thing does what it is for; undo and redo go back and forth across them.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTimeline } from '../../client/reads.ts';
import type { World } from '../../cli/story/world.ts';
import { connectKube } from '../../local/kube-client.ts';
import { kubeconfigPath } from '../../local/platform.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { APP_LABEL, namespaceName } from '../../shared/manifests/names.ts';
import type { TestPlatform } from './platform.ts';
import { openProject } from './project.ts';
import { MESSAGES, say, silent } from './ten-messages.ts';

export interface Told {
  readonly platform: TestPlatform;
  readonly projectId: ProjectId;
}

/** Defines the tests, on a platform that is opened before them, with so many undos and redos; answers what a test after them can look at. */
export function tellTenMessages(open: () => Promise<TestPlatform>, { back }: { readonly back: number }): () => Told {
  let platform: TestPlatform;
  let projectId: ProjectId;
  let world: World;

  beforeAll(async () => {
    platform = await open();
    ({ projectId, world } = await openProject(platform, 'Ten messages'));
  }, 900_000);

  afterAll(async () => {
    await world.close();
    await platform.close();
  }, 60_000);

  const digest = async (): Promise<string | undefined> => {
    const receipt = await platform.open.runtime.verify(projectId);
    expect(receipt.differences).toEqual([]);
    return receipt.momentDigest;
  };

  /** What the moment was after each message, facts included. */
  const after: (string | undefined)[] = [];

  describe('ten messages', () => {
    test.each(MESSAGES.map((message, index) => [index + 1, message.text, message] as const))('%i: %s', async (number, text, message) => {
      if (number === MESSAGES.length) await workByHand(platform, projectId, world);
      const before = await podsOf(platform, projectId);
      expect(await say(platform.open, projectId, text)).toMatchObject({ outcome: 'generated', health: 'healthy' });
      const now = await podsOf(platform, projectId);
      expect([...before.keys()].filter((app) => now.get(app) !== before.get(app))).toEqual(message.restarts);
      expect(await world.appDirs()).toEqual(message.apps);
      expect(await silent(world, message.apps)).toEqual([]);
      expect(await message.fact(world)).toEqual(message.expected);
      after.push(await digest());
    }, 180_000);

    test('the plan\'s history: each message is a revision, the last one is in force', async () => {
      const plans = await platform.open.runtime.listPlans(projectId);
      expect(plans.map(({ message }) => message)).toEqual(MESSAGES.map(({ text }) => text));
      expect(plans.map(({ status }) => status)).toEqual([...MESSAGES.slice(1).map(() => 'done'), 'active']);
      expect(plans.flatMap(({ subtasks }) => subtasks).every(({ appId }) => appId !== null)).toBe(true);
    });
  });

  describe('back and forth', () => {
    const go = async (where: 'undo' | 'redo') => { expect(await (await platform.open.runtime.restore(projectId, where)).result).toMatchObject({ outcome: 'restored', health: 'healthy' }); };
    test('undo, message by message: every app of that moment answers, and no other', async () => {
      for (let step = 1; step <= back; step++) {
        await go('undo');
        const { apps } = MESSAGES[MESSAGES.length - 1 - step] ?? { apps: [] };
        expect(await world.appDirs()).toEqual(apps);
        expect(await silent(world, apps)).toEqual([]);
        // Before the last message a person had changed a colour: that moment is one more than any message left.
        if (step > 1) expect(await digest()).toBe(after[MESSAGES.length - 1 - step]);
      }
      const gone = (MESSAGES.at(-1)?.apps ?? []).filter((app) => !(MESSAGES.at(-1 - back)?.apps ?? []).includes(app));
      for (const app of gone) expect((await world.http(app, '/')).status).toBe(404);
    }, 240_000);

    test('redo, all the way: the same moment as before, every app answers', async () => {
      for (let step = 1; step <= back; step++) await go('redo');
      expect(await world.appDirs()).toEqual(MESSAGES.at(-1)?.apps);
      expect(await silent(world, MESSAGES.at(-1)?.apps ?? [])).toEqual([]);
      expect(await digest()).toBe(after.at(-1));
    }, 240_000);
  });

  test('code alone, back to before the palette: the seeds of that code change no row', async () => {
    const entries = await readTimeline(platform.open.database, projectId);
    const before = entries.filter(({ kind, aliasOf }) => kind === 'pre-generation' && aliasOf === null).at(-1);
    expect(await (await platform.open.runtime.restore(projectId, before?.id ?? '', { mode: 'code' })).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    const last = MESSAGES.at(-1);
    expect(await last?.fact(world)).toEqual(last?.expected);
    expect(await silent(world, last?.apps ?? [])).toEqual([]);
  }, 120_000);

  return () => ({ platform, projectId });
}

/** The apps' running pods, by slug. */
async function podsOf(platform: TestPlatform, projectId: ProjectId): Promise<ReadonlyMap<string, string>> {
  const kube = connectKube(kubeconfigPath(platform.data, 'admin'));
  try {
    const apps = await platform.open.database.query<{ id: string; slug: string }>('SELECT id, slug FROM project_apps WHERE project_id = $1 AND archived_at IS NULL ORDER BY slug', [projectId]);
    const { items } = await kube.request<{ items: { metadata: { uid: string; labels?: Record<string, string>; deletionTimestamp?: string } }[] }>({ method: 'GET', path: `/api/v1/namespaces/${namespaceName(projectId)}/pods` });
    const live = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return new Map(apps.map(({ id, slug }) => [slug, live.filter(({ metadata }) => metadata.labels?.[APP_LABEL] === id).map(({ metadata }) => metadata.uid).join()]));
  } finally {
    await kube.close();
  }
}

/** A person's own colour and words, before the generation that changes colours in that app. */
async function workByHand(platform: TestPlatform, projectId: ProjectId, world: World): Promise<void> {
  await world.sql(`UPDATE ${await schemaOf(platform, projectId, 'personal-finance')}.categories SET colour = '#123456' WHERE name = 'Housing'`);
  const file = join(platform.data, 'projects', projectId, 'repo', 'apps', 'personal-finance', 'src', 'app.tsx');
  writeFileSync(file, readFileSync(file, 'utf8').replace('>Accounts<', '>My accounts<'));
}

async function schemaOf(platform: TestPlatform, projectId: ProjectId, slug: string): Promise<string> {
  const [row] = await platform.open.database.query<{ id: string }>('SELECT id FROM project_apps WHERE project_id = $1 AND slug = $2 AND archived_at IS NULL', [projectId, slug]);
  return row?.id ?? '';
}
