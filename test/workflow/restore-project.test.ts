/**
 * `restoreProject` at every activity boundary: fail before the effect, lose the reply after it, fail
 * for good. Whatever happens, the world is at the target or where it was (I2), and nothing leaks.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { PROGRESS } from '../../shared/contract/operation.ts';
import type { Progress } from '../../shared/contract/operation.ts';
import type { RestoreOutcome } from '../../shared/contract/restore-project.ts';
import { forkTimelineId, operationCheckpointId } from '../../shared/derive.ts';
import type { OperationId } from '../../shared/ids.ts';
import { FakeWorld, PROJECT, TARGET } from '../support/fake-world.ts';
import { until } from '../support/stopped.ts';
import { openInProcessBench } from '../support/in-process.ts';
import type { InProcessBench } from '../support/in-process.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { WorkflowBench } from '../support/temporal.ts';

let bench: WorkflowBench;
/** For the tables: the same workflows without a server. */
let quick: InProcessBench;
let counter = 0;
beforeAll(async () => { [bench, quick] = await Promise.all([openWorkflowBench(), openInProcessBench()]); });
afterAll(async () => {
  await bench.close();
  await quick.close();
});

function nextRequest() {
  counter += 1;
  return { projectId: PROJECT, operationId: `op_${String(counter).padStart(12, '0')}` as OperationId, target: 'undo', mode: 'all' as const };
}

function expectAtTarget(world: FakeWorld, operationId: OperationId): void {
  expect(world.visible()).toMatchObject({
    tree: TARGET.tree, serving: forkTimelineId(operationId), computeUp: true, appsUp: true, gateway: 'open', intents: 0,
    position: operationCheckpointId(operationId, 'target'),
  });
}

const BEFORE_DECISION = ['planRestore', 'forkBranch', 'freeze', 'commitDirty', 'stopCompute'] as const;
const AFTER_DECISION = ['convergeRows', 'restoreVersion', 'startCompute', 'convergeSchema', 'convergeInfra', 'verifyMoment', 'finalize'] as const;
const AFTER_FINAL = ['startTiers', 'open', 'closeOperation'] as const;

describe('restoreProject', () => {
  test('moves every store to the target and seals where it came from', async () => {
    const world = new FakeWorld();
    const request = nextRequest();
    const outcome = await bench.run<RestoreOutcome>(world, 'restoreProject', request);
    expect(outcome).toMatchObject({ outcome: 'restored', health: 'healthy', undo: operationCheckpointId(request.operationId, 'pre-restore') });
    expectAtTarget(world, request.operationId);
    expect(world.state.sealed).toHaveLength(1);
  });

  test('a namespace that somebody deletes between start and open: started again, then open', async () => {
    const world = new FakeWorld();
    world.faults.set('open', { kind: 'before', times: 1, type: 'NotFound' });
    const request = nextRequest();
    expect(await quick.run<RestoreOutcome>(world, 'restoreProject', request)).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expectAtTarget(world, request.operationId);
    expect(world.calls.slice(-5)).toEqual(['startTiers', 'open', 'startTiers', 'open', 'closeOperation']);
  });

  test.each([...BEFORE_DECISION, 'decide', ...AFTER_DECISION, ...AFTER_FINAL].flatMap((name) => [[name, 'before'], [name, 'after']] as const))(
    '%s fails once %s its effect: retried, at the target', async (name, kind) => {
      const world = new FakeWorld();
      world.faults.set(name, { kind, times: 1, type: 'Unavailable' });
      const request = nextRequest();
      expect(await quick.run<RestoreOutcome>(world, 'restoreProject', request)).toMatchObject({ outcome: 'restored' });
      expectAtTarget(world, request.operationId);
    },
  );

  test.each(BEFORE_DECISION.flatMap((name) => [[name, 'before'], [name, 'after']] as const))(
    '%s fails for good %s its effect, before the decision: everything as it was', async (name, kind) => {
      const world = new FakeWorld();
      const before = world.visible();
      world.faults.set(name, { kind, times: 1, type: 'PreconditionFailed' });
      expect(await quick.run<RestoreOutcome>(world, 'restoreProject', nextRequest())).toMatchObject({ outcome: 'unchanged', failure: 'PreconditionFailed' });
      expect(world.visible()).toEqual(before);
    },
  );

  test('the snapshot fails for good while the freeze is at work: nothing is taken back before the freeze has ended', async () => {
    const world = new FakeWorld();
    const before = world.visible();
    const frozen = Promise.withResolvers<void>();
    world.intercept = async (call) => {
      if (call.name === 'freeze') await frozen.promise;
      if (call.name === 'commitDirty' && call.nth === 1) throw ApplicationFailure.create({ type: 'PreconditionFailed', message: 'in mid-merge', nonRetryable: true });
      return await call.effect();
    };
    const outcome = await bench.run<RestoreOutcome>(world, 'restoreProject', nextRequest(), async ({ id }) => {
      const run = bench.environment.client.workflow.getHandle(id);
      await until('the failed snapshot', async () => ((await run.query<Progress>(PROGRESS)).steps.some(({ name, state }) => name === 'snapshot code' && state === 'failed') ? true : undefined));
      expect(world.calls).not.toContain('raiseOperationFence');
      frozen.resolve();
    });
    expect(outcome).toMatchObject({ outcome: 'unchanged', failure: 'PreconditionFailed' });
    expect(world.calls).toContain('raiseOperationFence');
    expect(world.visible()).toEqual(before);
    expect(world.leaks()).toEqual([]);
  });

  test('the decision is taken but its reply is an error: the row decides, forward', async () => {
    const world = new FakeWorld();
    world.faults.set('decide', { kind: 'after', times: 1, type: 'InvariantViolated' });
    const request = nextRequest();
    expect(await bench.run<RestoreOutcome>(world, 'restoreProject', request)).toMatchObject({ outcome: 'restored' });
    expectAtTarget(world, request.operationId);
  });

  test.each(AFTER_DECISION.flatMap((name) => [[name, 'before'], [name, 'after']] as const))(
    '%s fails for good %s its effect, after the decision: back through converge, nothing between', async (name, kind) => {
      const world = new FakeWorld();
      const before = world.visible();
      world.faults.set(name, { kind, times: 1, type: 'InvariantViolated' });
      const request = nextRequest();
      const outcome = await quick.run<RestoreOutcome>(world, 'restoreProject', request);
      if (name === 'finalize' && kind === 'after') {
        // Final is final: only the reply was lost.
        expect(outcome).toMatchObject({ outcome: 'restored' });
        expectAtTarget(world, request.operationId);
        return;
      }
      expect(outcome).toMatchObject({ outcome: 'unchanged' });
      expect({ ...world.visible(), timelines: [] }).toEqual({ ...before, timelines: [] });
    },
  );

  test('cancelled while it forks: unwound, and the reason is kept', async () => {
    const world = new FakeWorld();
    const before = world.visible();
    world.faults.set('forkBranch', { kind: 'before', times: 1000, type: 'Unavailable' });
    const request = nextRequest();
    const outcome = await bench.run<RestoreOutcome>(world, 'restoreProject', request, async ({ id }) => {
      const handle = bench.environment.client.workflow.getHandle(id);
      for (;;) {
        if (world.calls.includes('forkBranch')) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await handle.signal('cancelRun', { operationId: 'op_zzzzzzzzzzzz', reason: 'for another run' });
      await handle.executeUpdate('cancelRunUpdate', { args: [{ operationId: request.operationId, reason: 'changed my mind' }] });
      // The create is sent again until it answers, so the unwinding waits for the outage's end.
      world.faults.clear();
    });
    expect(outcome).toMatchObject({ outcome: 'unchanged', failure: 'Cancelled', message: expect.stringContaining('changed my mind') });
    expect(world.visible()).toEqual(before);
  });

  test('a terminated run is finished by the next operation from its row alone', async () => {
    const world = new FakeWorld();
    world.faults.set('convergeInfra', { kind: 'before', times: 1000, type: 'Unavailable' });
    const first = nextRequest();
    await expect(bench.run(world, 'restoreProject', first, async ({ id }) => {
      while (!world.calls.includes('convergeInfra')) await new Promise((resolve) => setTimeout(resolve, 20));
      await bench.environment.client.workflow.getHandle(id).terminate('test');
    })).rejects.toThrow();
    world.faults.clear();
    const second = { projectId: PROJECT, operationId: 'op_recover00001' as OperationId };
    expect(await bench.run(world, 'recoverProject', second)).toMatchObject({ outcome: 'recovered' });
    expectAtTarget(world, first.operationId);
    expect(world.operations.get(first.operationId)?.outcome).toBe('restored');
  });

  test.each(['startTiers', 'open'])('%s fails for good after final: the row stays open and `recover` goes on, never `unchanged`', async (name) => {
    const world = new FakeWorld();
    world.faults.set(name, { kind: 'before', times: 1, type: 'QuotaExceeded' });
    const request = nextRequest();
    await expect(bench.run(world, 'restoreProject', request)).rejects.toMatchObject({ cause: { type: 'CompensationFailed' } });
    expect(world.operations.get(request.operationId)?.outcome).toBeNull();
    expect(await bench.run(world, 'recoverProject', { projectId: PROJECT, operationId: `op_rec${name}00`.slice(0, 15).toLowerCase().padEnd(15, '0') as OperationId })).toMatchObject({ outcome: 'recovered' });
    expectAtTarget(world, request.operationId);
  });

  test('going back fails for good: the row says back and stays open until `recover` has gone back', async () => {
    const world = new FakeWorld();
    const before = world.visible();
    world.faults.set('verifyMoment', { kind: 'before', times: 2, type: 'InvariantViolated' });
    const request = nextRequest();
    await expect(bench.run(world, 'restoreProject', request)).rejects.toMatchObject({ cause: { type: 'CompensationFailed' } });
    expect(world.operations.get(request.operationId)).toMatchObject({ decision: 'back', outcome: null });
    expect(await bench.run(world, 'recoverProject', { projectId: PROJECT, operationId: 'op_recoverback0' as OperationId })).toMatchObject({ outcome: 'recovered' });
    expect(world.visible()).toEqual(before);
  });
});
