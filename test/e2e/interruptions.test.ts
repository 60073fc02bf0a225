/**
 * The worker killed -9 and the run terminated, in a generation and in restores, before and after
 * the decision: a new worker or the next operation finishes, and the world is right (I2, I3).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, Client } from '@temporalio/client';
import type { Started } from '../../client/runtime.ts';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import { openWorld } from '../../cli/story/world.ts';
import type { World } from '../../cli/story/world.ts';
import { projectWorkflowId } from '../../shared/contract/operation.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';

let platform: TestPlatform;
let projectId: ProjectId;
let world: World;
let connection: Connection;
let temporal: Client;

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  connection = await Connection.connect({ address: `127.0.0.1:${String(platform.open.platform.ports.temporal)}` });
  temporal = new Client({ connection });
  const created = await platform.open.runtime.createProject('Interrupted');
  ({ projectId } = created);
  expect(await created.result).toMatchObject({ outcome: 'provisioned' });
  world = openWorld(platform.open.platform, projectId);
}, 900_000);

afterAll(async () => {
  await world.close();
  await connection.close();
  await platform.close();
}, 60_000);

/** Waits until the run has scheduled an activity: a point in its history, not in time. */
async function reached(started: Started<OperationOutcome>, activity: string): Promise<void> {
  const handle = temporal.workflow.getHandle(projectWorkflowId(started.projectId));
  for (;;) {
    const { events } = await handle.fetchHistory();
    if (events?.some((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity)) return;
    if (events?.some((event) => event.workflowExecutionCompletedEventAttributes != null || event.workflowExecutionFailedEventAttributes != null)) throw new Error(`the run ended before ${activity}`);
    await sleep(20);
  }
}

async function expectVerified(): Promise<void> {
  const receipt = await platform.open.runtime.verify(projectId);
  expect(receipt.differences).toEqual([]);
}

describe('a worker killed -9', () => {
  test.each([['composeCommit', 'a personal finance tracker', ['personal-finance']], ['convergeInfra', 'a task board', ['personal-finance', 'task-board']]] as const)(
    'in a generation at %s: a new worker finishes it', async (activity, message, apps) => {
      await platform.open.runtime.chat(projectId, message);
      const started = await platform.open.runtime.approvePlan(projectId);
      await reached(started, activity);
      await platform.killWorker();
      expect(await started.result).toMatchObject({ outcome: 'generated', health: 'healthy' });
      expect(await world.appDirs()).toEqual([...apps]);
      expect((await world.http('personal-finance', '/trpc/health')).status).toBe(200);
      await expectVerified();
    }, 240_000,
  );

  test.each(['stopCompute', 'restoreVersion'])('in a restore at %s: a new worker finishes it, and redo brings every acknowledged row back', async (activity) => {
    const marker = `Written before ${activity}`;
    await addTransaction(world, marker, -100);
    const started = await platform.open.runtime.restore(projectId, 'undo');
    await reached(started, activity);
    await platform.killWorker();
    expect(await started.result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect(await world.appDirs()).toEqual(['personal-finance']);
    expect(await transactions(world)).not.toContain(marker);
    await expectVerified();
    expect(await (await platform.open.runtime.restore(projectId, 'redo')).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect(await world.appDirs()).toEqual(['personal-finance', 'task-board']);
    expect(await transactions(world)).toContain(marker);
    await expectVerified();
  }, 240_000);
});

describe('a run terminated in mid-restore', () => {
  test('before the decision: `recover` takes it back', async () => {
    const started = await platform.open.runtime.restore(projectId, 'undo');
    started.result.catch(() => undefined); // Terminated below: its failure is the point.
    await reached(started, 'stopCompute');
    await temporal.workflow.getHandle(projectWorkflowId(projectId)).terminate('test');
    expect(await (await platform.open.runtime.recover(projectId)).result).toMatchObject({ outcome: 'recovered' });
    expect(await world.appDirs()).toEqual(['personal-finance', 'task-board']);
    expect((await world.http('task-board', '/trpc/health')).status).toBe(200);
    await expectVerified();
  }, 240_000);

  test('after the decision: the next operation finishes it first', async () => {
    const started = await platform.open.runtime.restore(projectId, 'undo');
    started.result.catch(() => undefined);
    await reached(started, 'convergeInfra');
    await temporal.workflow.getHandle(projectWorkflowId(projectId)).terminate('test');
    const bookmark = await platform.open.runtime.bookmark(projectId, 'after the termination');
    expect(await bookmark.result).toMatchObject({ outcome: 'recorded' });
    expect(await world.appDirs()).toEqual(['personal-finance']);
    expect((await world.http('personal-finance', '/trpc/health')).status).toBe(200);
    await expectVerified();
  }, 240_000);
});

test('a second operation while one runs is refused and names it', async () => {
  const first = await platform.open.runtime.bookmark(projectId, 'one');
  await expect(platform.open.runtime.restore(projectId, 'undo')).rejects.toMatchObject({ type: 'Busy' });
  expect(await first.result).toMatchObject({ outcome: 'recorded' });
}, 120_000);
