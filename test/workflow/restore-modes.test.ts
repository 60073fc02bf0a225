/**
 * `restoreProject` in the modes `data` and `code`: each moves its own store and no other, leaves
 * nothing behind when it fails, and pins the snapshot that a later redo forks from (I1, I2, I3).
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { RestoreOutcome } from '../../shared/contract/restore-project.ts';
import { forkTimelineId, operationCheckpointId } from '../../shared/derive.ts';
import type { OperationId } from '../../shared/ids.ts';
import type { RestoreMode } from '../../shared/moment.ts';
import { FakeWorld, PROJECT, TARGET } from '../support/fake-world.ts';
import { openInProcessBench } from '../support/in-process.ts';
import type { InProcessBench } from '../support/in-process.ts';

let bench: InProcessBench;
let counter = 500;
beforeAll(async () => { bench = await openInProcessBench(); });
afterAll(async () => { await bench.close(); });

async function restore(world: FakeWorld, mode: RestoreMode): Promise<RestoreOutcome> {
  counter += 1;
  const operationId = `op_${String(counter).padStart(12, '0')}` as OperationId;
  const request = { projectId: PROJECT, operationId, target: 'undo', mode };
  return await bench.run<RestoreOutcome>(world, 'restoreProject', request);
}

test('`data` moves the timeline and leaves the tree', async () => {
  const world = new FakeWorld();
  const { tree } = world.visible();
  const { operationId, outcome } = await restore(world, 'data');
  expect(outcome).toBe('restored');
  expect(world.visible()).toMatchObject({ tree, serving: forkTimelineId(operationId), computeUp: true, appsUp: true, gateway: 'open' });
  expect(world.leaks()).toEqual([]);
});

test('`code` moves the tree and leaves the timeline, unsealed; the snapshot is pinned on it', async () => {
  const world = new FakeWorld();
  const { serving, timelines } = world.visible();
  const { operationId, outcome } = await restore(world, 'code');
  expect(outcome).toBe('restored');
  expect(world.visible()).toMatchObject({ tree: TARGET.tree, serving, timelines, sealed: [], computeUp: true, appsUp: true, gateway: 'open' });
  expect(Object.keys(world.state.pins)).toContain(operationCheckpointId(operationId, 'pre-restore'));
  expect(world.calls).not.toContain('stopCompute');
  expect(world.leaks()).toEqual([]);
});

const BEFORE = { data: ['planRestore', 'forkBranch', 'freeze', 'commitDirty', 'stopCompute'], code: ['planRestore', 'freeze', 'commitDirty', 'emitCheckpointLsn', 'pinMoment'] } as const;

test.each((['data', 'code'] as const).flatMap((mode) => BEFORE[mode].flatMap((name) => [[mode, name, 'before'], [mode, name, 'after']] as const)))(
  '`%s`: %s fails for good %s its effect: everything as it was, nothing leaked', async (mode, name, kind) => {
    const world = new FakeWorld();
    const before = world.visible();
    world.faults.set(name, { kind, times: 1, type: 'PreconditionFailed' });
    expect(await restore(world, mode)).toMatchObject({ outcome: 'unchanged', failure: 'PreconditionFailed' });
    expect(world.visible()).toEqual(before);
    expect(world.leaks()).toEqual([]);
  },
);

test.each((['data', 'code'] as const).flatMap((mode) => ['convergeRows', 'restoreVersion', 'startCompute', 'convergeSchema', 'convergeInfra', 'verifyMoment', 'finalize'].map((name) => [mode, name] as const)))(
  '`%s`: %s fails for good after the decision: back, nothing between', async (mode, name) => {
    const world = new FakeWorld();
    const { position: _position, sealed: _sealed, ...before } = world.visible();
    world.faults.set(name, { kind: 'before', times: 1, type: 'PreconditionFailed' });
    expect(await restore(world, mode)).toMatchObject({ outcome: 'unchanged' });
    expect(world.visible()).toMatchObject(before);
    expect(world.leaks()).toEqual([]);
  },
);
