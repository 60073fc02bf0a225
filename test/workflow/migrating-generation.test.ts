/**
 * A generation that changes an existing schema: rehearsed, frozen and kept at an LSN before its
 * decision; taken back with its data after it (I2, I3).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import { forkTimelineId, operationCheckpointId } from '../../shared/derive.ts';
import type { OperationId } from '../../shared/ids.ts';
import { FakeWorld, PROJECT } from '../support/fake-world.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { WorkflowBench } from '../support/temporal.ts';

let bench: WorkflowBench;
let counter = 0;
beforeAll(async () => { bench = await openWorkflowBench(); });
afterAll(async () => { await bench.close(); });

function migrating(): { world: FakeWorld; request: { projectId: typeof PROJECT; operationId: OperationId; door: 'approve_plan' } } {
  counter += 1;
  const world = new FakeWorld();
  world.proposal = { ...world.proposal, changes: [{ slug: 'home', migration: '0002_budgets.sql' }] };
  return { world, request: { projectId: PROJECT, operationId: `op_m${String(counter).padStart(11, '0')}` as OperationId, door: 'approve_plan' } };
}

test('goes forward on the timeline that it is on; the fork that kept its data goes', async () => {
  const { world, request } = migrating();
  const { timelines, serving } = world.visible();
  expect(await bench.run<OperationOutcome>(world, 'generateProject', request)).toMatchObject({ outcome: 'generated', health: 'healthy' });
  expect(world.visible()).toMatchObject({ timelines, serving, gateway: 'open', appsUp: true, position: operationCheckpointId(request.operationId, 'target') });
  expect(world.leaks()).toEqual([]);
  const order = ['rehearseMigrations', 'freeze', 'forkBranch', 'decide', 'convergeSchema', 'finalize', 'startTiers', 'open', 'deleteFork'];
  expect(world.calls.filter((name) => order.includes(name))).toEqual(order);
});

test.each(['rehearseMigrations', 'freeze', 'forkBranch'].flatMap((name) => [[name, 'before'], [name, 'after']] as const))(
  '%s fails for good %s its effect: served again, nothing is left', async (name, kind) => {
    const { world, request } = migrating();
    const before = world.visible();
    world.faults.set(name, { kind, times: 1, type: 'PreconditionFailed' });
    expect(await bench.run<OperationOutcome>(world, 'generateProject', request)).toMatchObject({ outcome: 'unchanged', failure: 'PreconditionFailed' });
    expect(world.visible()).toEqual(before);
    expect(world.leaks()).toEqual([]);
  },
);

test.each(['convergeSchema', 'convergeInfra', 'verifyMoment'])('%s fails for good after the decision: back on the data from before the migration, and served', async (name) => {
  const { world, request } = migrating();
  const before = world.visible();
  world.faults.set(name, { kind: 'after', times: 1, type: 'InvariantViolated' });
  expect(await bench.run<OperationOutcome>(world, 'generateProject', request)).toMatchObject({ outcome: 'unchanged', failure: 'InvariantViolated', health: 'healthy' });
  const fork = forkTimelineId(request.operationId);
  expect(world.visible()).toEqual({ ...before, serving: fork, timelines: [...before.timelines, fork].sort() });
  expect(world.leaks()).toEqual([]);
});

describe('a run terminated', () => {
  test.each([['forkBranch', 'unchanged'], ['convergeSchema', 'generated']])('in %s: the next operation ends it as %s, and the project is served', async (at, outcome) => {
    const { world, request } = migrating();
    const before = world.visible();
    world.faults.set(at, { kind: 'before', times: 1000, type: 'Unavailable' });
    await expect(bench.run(world, 'generateProject', request, async ({ id }) => {
      while (!world.calls.includes(at)) await new Promise((resolve) => setTimeout(resolve, 20));
      await bench.environment.client.workflow.getHandle(id).terminate('test');
    })).rejects.toThrow();
    world.faults.clear();
    await bench.run(world, 'recoverProject', { projectId: PROJECT, operationId: `op_mrecover00${String(counter % 10)}` as OperationId });
    expect(world.operations.get(request.operationId)?.outcome).toBe(outcome);
    expect(world.visible()).toMatchObject({ timelines: before.timelines, serving: before.serving, gateway: 'open', appsUp: true, computeUp: true });
    if (outcome === 'unchanged') expect(world.visible()).toEqual(before);
    expect(world.leaks()).toEqual([]);
  });
});
