/**
 * The worker killed -9 and the run terminated, in a generation and in restores, before and after
 * the decision: a new worker or the next operation finishes, and the world is right (I2, I3).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection, Client } from '@temporalio/client';
import type { Started } from '../../client/runtime.ts';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import type { World } from '../../cli/story/world.ts';
import { projectWorkflowId } from '../../shared/contract/operation.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { boundariesOf } from '../faults/boundaries.ts';
import type { Boundary } from '../faults/boundaries.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { openProject } from '../support/project.ts';

let platform: TestPlatform;
let projectId: ProjectId;
let world: World;
let connection: Connection;
let temporal: Client;

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  connection = await Connection.connect({ address: `127.0.0.1:${String(platform.open.platform.ports.temporal)}` });
  temporal = new Client({ connection });
  ({ projectId, world } = await openProject(platform, 'Interrupted'));
}, 900_000);

afterAll(async () => {
  await world.close();
  await connection.close();
  await platform.close();
}, 60_000);

/** Waits until the run has scheduled an activity: a point in its history, not in time. */
async function reached(started: Started<OperationOutcome>, { activity, nth }: Boundary): Promise<void> {
  const handle = temporal.workflow.getHandle(projectWorkflowId(started.projectId));
  for (;;) {
    const { events } = await handle.fetchHistory();
    if ((events ?? []).filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity).length >= nth) return;
    if (events?.some((event) => event.workflowExecutionCompletedEventAttributes != null || event.workflowExecutionFailedEventAttributes != null)) throw new Error(`the run ended before ${activity}`);
    await sleep(20);
  }
}

/** A small seeded generator: the whole of it, so that a seed means the same everywhere. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Restores without a fault; answers the boundaries that it had. */
async function restored(target: 'undo' | 'redo'): Promise<Boundary[]> {
  expect(await (await platform.open.runtime.restore(projectId, target)).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
  return await boundariesOf(temporal, projectWorkflowId(projectId));
}

function missing(): never {
  throw new Error('a restore has too few boundaries to draw from');
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
      await reached(started, { activity, nth: 1 });
      await platform.killWorker();
      expect(await started.result).toMatchObject({ outcome: 'generated', health: 'healthy' });
      expect(await world.appDirs()).toEqual([...apps]);
      expect((await world.http('personal-finance', '/trpc/health')).status).toBe(200);
      await expectVerified();
    }, 240_000,
  );
});

describe('a run terminated in mid-restore', () => {
  test('before the decision: `recover` takes it back', async () => {
    const started = await platform.open.runtime.restore(projectId, 'undo');
    started.result.catch(() => undefined); // Terminated below: its failure is the point.
    await reached(started, { activity: 'stopCompute', nth: 1 });
    await temporal.workflow.getHandle(projectWorkflowId(projectId)).terminate('test');
    expect(await (await platform.open.runtime.recover(projectId)).result).toMatchObject({ outcome: 'recovered' });
    expect(await world.appDirs()).toEqual(['personal-finance', 'task-board']);
    expect((await world.http('task-board', '/trpc/health')).status).toBe(200);
    await expectVerified();
  }, 240_000);

  test('after the decision: the next operation finishes it first', async () => {
    const started = await platform.open.runtime.restore(projectId, 'undo');
    started.result.catch(() => undefined);
    await reached(started, { activity: 'convergeInfra', nth: 1 });
    await temporal.workflow.getHandle(projectWorkflowId(projectId)).terminate('test');
    const bookmark = await platform.open.runtime.bookmark(projectId, 'after the termination');
    expect(await bookmark.result).toMatchObject({ outcome: 'recorded' });
    expect(await world.appDirs()).toEqual(['personal-finance']);
    expect((await world.http('personal-finance', '/trpc/health')).status).toBe(200);
    await expectVerified();
  }, 240_000);
});

describe('a worker killed -9 five times at random', () => {
  /** The same seed gives the same five places: ADORABLE_TEST_SEED repeats a run. */
  const seed = Number(process.env['ADORABLE_TEST_SEED'] ?? randomInt(2 ** 31));

  test(`in one restore (seed ${String(seed)}): one outcome, every store holds it, and redo brings every acknowledged row back`, async () => {
    process.stderr.write(`five kills at random: ADORABLE_TEST_SEED=${String(seed)}\n`);
    const random = mulberry32(seed);
    const steps = await restored('redo');
    const written: string[] = [];
    for (let row = 1; row <= 5; row += 1) {
      written.push(`Written before five kills, ${String(row)}`);
      await addTransaction(world, written.at(-1) ?? '', -row);
    }
    // The boundaries of a restore that nothing disturbed; two of the five are before its decision, three after.
    const decision = steps.findIndex(({ activity }) => activity === 'decide');
    const draw = (from: Boundary[]): Boundary => from.splice(Math.floor(random() * from.length), 1)[0] ?? missing();
    const [early, late] = [steps.slice(1, decision + 1), steps.slice(decision + 1)];
    const drawn = [draw(early), draw(early), draw(late), draw(late), draw(late)].sort((a, b) => steps.indexOf(a) - steps.indexOf(b));
    const started = await platform.open.runtime.restore(projectId, 'undo');
    for (const place of drawn) {
      await reached(started, place);
      await sleep(random() * 40);
      await platform.killWorker();
    }
    expect(await started.result).toMatchObject({ outcome: 'restored', health: 'healthy', receipt: { ok: true } });
    const outcomes = await platform.open.database.query<{ outcome: string | null }>('SELECT outcome FROM operations WHERE id = $1', [started.operationId]);
    expect(outcomes).toEqual([{ outcome: 'restored' }]);
    expect(await world.appDirs()).toEqual(['personal-finance']);
    expect((await transactions(world)).filter((name) => written.includes(name))).toEqual([]);
    await expectVerified();
    await restored('redo');
    expect((await transactions(world)).filter((name) => written.includes(name))).toEqual(written);
    await expectVerified();
  }, 300_000);
});

test('a second operation while one runs is refused and names it', async () => {
  const first = await platform.open.runtime.bookmark(projectId, 'one');
  await expect(platform.open.runtime.restore(projectId, 'undo')).rejects.toMatchObject({ type: 'Busy' });
  expect(await first.result).toMatchObject({ outcome: 'recorded' });
}, 120_000);
