/**
 * An outage after the decision: the run stays open and keeps trying, says what is left and since
 * when, and `resume` makes it try at once instead of when its back-off ends.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { stuckOf } from '../../client/stuck.ts';
import { connectTemporal } from '../../client/temporal.ts';
import type { TemporalGate } from '../../client/temporal.ts';
import { projectWorkflowId, RESUME_RUN } from '../../shared/contract/operation.ts';
import type { OperationId } from '../../shared/ids.ts';
import { FakeWorld, PROJECT } from '../support/fake-world.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { WorkflowBench } from '../support/temporal.ts';

let bench: WorkflowBench;
let gate: TemporalGate;
beforeAll(async () => {
  bench = await openWorkflowBench();
  gate = await connectTemporal(bench.environment.address);
});
afterAll(async () => {
  await gate.close();
  await bench.close();
});

test('a failing activity counts after a minute, a silent one after five', () => {
  const now = Date.parse('2026-01-01T00:10:00Z');
  const at = (minutes: number): string => new Date(now - minutes * 60_000).toISOString();
  expect(stuckOf([{ activity: 'a', attempt: 2, since: at(0.9), lastFailure: 'down' }], now)).toBeUndefined();
  expect(stuckOf([{ activity: 'a', attempt: 1, since: at(4.9) }], now)).toBeUndefined();
  expect(stuckOf([{ activity: 'a', attempt: 1, since: at(5) }, { activity: 'b', attempt: 9, since: at(1), lastFailure: 'down' }], now)).toEqual({ activity: 'a', attempt: 1, since: at(5) });
});

describe('an outage after the decision', () => {
  const ways: readonly [string, () => Promise<unknown>][] = [
    ['the update of the CLI and the API', () => gate.resume(PROJECT, {})],
    ['the plain signal of the Web UI', () => bench.environment.client.workflow.getHandle(projectWorkflowId(PROJECT)).signal(RESUME_RUN)],
  ];
  test.each(ways)('is told as stuck, and resume by %s makes the next attempt come at once', async (way, resume) => {
    const world = new FakeWorld();
    world.faults.set('convergeInfra', { kind: 'before', times: 1000, type: 'Unavailable' });
    const began = Date.now();
    let resumedAt = 0;
    const outcome = await bench.run(world, 'restoreProject', { projectId: PROJECT, operationId: `op_stuck000000${String(ways.findIndex(([name]) => name === way))}` as OperationId, target: 'undo', mode: 'all' } as never, async () => {
      // From the seventh failure on it waits 10 s.
      while (world.calls.filter((name) => name === 'convergeInfra').length < 7) await sleep(50);
      const stuck = await gate.stuck(PROJECT, 1000);
      expect(stuck).toMatchObject({ activity: 'convergeInfra', lastFailure: 'convergeInfra: injected' });
      expect(stuck?.attempt).toBeGreaterThanOrEqual(7);
      expect(Date.parse(stuck?.since ?? '')).toBeGreaterThanOrEqual(began - 1000);
      expect(await gate.stuck(PROJECT, 600_000)).toBeUndefined();
      world.faults.clear();
      await resume();
      resumedAt = Date.now();
    });
    expect(outcome).toMatchObject({ outcome: 'restored', health: 'healthy' });
    // The back-off would have lasted 10 s more.
    expect(Date.now() - resumedAt).toBeLessThan(8_000);
    expect(await gate.stuck(PROJECT)).toBeUndefined();
  }, 60_000);
});
