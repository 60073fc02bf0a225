/**
 * The tree of moments on real engines: undo ×N, redo ×N, a generation after an undo, undo ×N
 * again. The moment digest (tree, data, declared state, manifests) is equal at equal moments and
 * different at different ones; data and code move alone where that parts nothing (I1, I3).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import { openWorld } from '../../cli/story/world.ts';
import type { World } from '../../cli/story/world.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
let projectId: ProjectId;
let world: World;
/** Digests of the moments that the first test names. */
const at: Record<string, string> = {};

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  const created = await platform.open.runtime.createProject('Moments');
  ({ projectId } = created);
  expect(await created.result).toMatchObject({ outcome: 'provisioned' });
  world = openWorld(platform.open.platform, projectId);
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

async function generate(message: string): Promise<void> {
  await platform.open.runtime.chat(projectId, message);
  expect(await (await platform.open.runtime.approvePlan(projectId)).result).toMatchObject({ outcome: 'generated', health: 'healthy' });
}

async function restore(target: string): Promise<void> {
  expect(await (await platform.open.runtime.restore(projectId, target)).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
}

describe('equal moments have equal digests', () => {
  test('undo ×2 walks back generation by generation, redo ×2 takes it back', async () => {
    at['empty'] = await digest();
    await generate('a personal finance tracker');
    at['finance, no rows'] = await digest();
    await addTransaction(world, 'Written in finance', -100);
    at['finance'] = await digest();
    await generate('a task board');
    at['both, no new rows'] = await digest();
    await addTransaction(world, 'Written beside the board', -200);
    at['both'] = await digest();
    expect(new Set(Object.values(at)).size).toBe(5);

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
    expect(await transactions(world)).toEqual(expect.arrayContaining(['Written in finance', 'Written beside the board']));
    await expect(platform.open.runtime.planRestore(projectId, 'redo')).rejects.toMatchObject({ type: 'PreconditionFailed' });
  }, 240_000);

  test('a generation after an undo ends the redo stack, never the tree', async () => {
    await restore('undo');
    const undone = (await platform.open.runtime.planRestore(projectId, 'redo')).target.checkpointId;
    await generate('a task board');
    await expect(platform.open.runtime.planRestore(projectId, 'redo')).rejects.toMatchObject({ type: 'PreconditionFailed' });
    await restore('undo');
    expect(await digest()).toBe(at['finance']);
    await restore('undo');
    expect(await digest()).toBe(at['empty']);
    await restore(undone);
    expect(await digest()).toBe(at['both']);
  }, 240_000);
});
