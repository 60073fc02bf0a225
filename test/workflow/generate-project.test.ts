/**
 * `generateProject` at every activity boundary: whatever fails, the project is generated or as it
 * was, a declared app is never left half real, and nothing lands in the primary app's place (I2, I4, I5).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import { operationCheckpointId } from '../../shared/derive.ts';
import type { OperationId } from '../../shared/ids.ts';
import { treeOf } from '../support/fake/values.ts';
import { BLOG, FakeWorld, HOME, PROJECT, REVISION } from '../support/fake-world.ts';
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
  return { projectId: PROJECT, operationId: `op_g${String(counter).padStart(11, '0')}` as OperationId, door: 'approve_plan' as const };
}

const WITH_BLOG = { ...new FakeWorld().files(), 'apps/blog/source': REVISION, 'apps/blog/migrations/0001': '0001' };

function expectGenerated(world: FakeWorld, operationId: OperationId): void {
  expect(world.visible()).toMatchObject({
    tree: treeOf(WITH_BLOG), deployed: { tree: treeOf(WITH_BLOG), apps: [HOME, BLOG.appId] }, gateway: 'open', appsUp: true, computeUp: true, pendingApps: [], liveApps: [HOME, BLOG.appId],
    schemas: [HOME, BLOG.appId], sealed: [], position: operationCheckpointId(operationId, 'target'), intents: 0,
  });
}

const BEFORE_DECISION = [
  'planGeneration', 'commitDirty', 'recordCheckpointIntent', 'emitCheckpointLsn', 'pinMoment', 'completeCheckpoint', 'ensurePendingApp', 'scaffoldApp', 'ensureAppSchema',
  'resolveCreatesAppSentinels', 'bucketPlan', 'produceApp', 'checkApp', 'composeCommit', 'ensureSecrets',
] as const;
const AFTER_DECISION = ['convergeRows', 'restoreVersion', 'startCompute', 'convergeSchema', 'convergeInfra', 'verifyMoment'] as const;

describe('generateProject', () => {
  test.each([...BEFORE_DECISION, 'decide', ...AFTER_DECISION, 'finalize', 'startTiers', 'open', 'seedServices', 'closeOperation'].flatMap((name) => [[name, 'before'], [name, 'after']] as const))(
    '%s fails once %s its effect: retried, generated', async (name, kind) => {
      const world = FakeWorld.proposingBlog();
      world.faults.set(name, { kind, times: 1, type: 'Unavailable' });
      const request = nextRequest();
      expect(await quick.run<OperationOutcome>(world, 'generateProject', request)).toMatchObject({ outcome: 'generated', health: 'healthy' });
      expectGenerated(world, request.operationId);
    },
  );

  test.each(BEFORE_DECISION.flatMap((name) => [[name, 'before'], [name, 'after']] as const))(
    '%s fails for good %s its effect, before the decision: nothing is left', async (name, kind) => {
      const world = FakeWorld.proposingBlog();
      const before = world.visible();
      world.faults.set(name, { kind, times: 1, type: 'UnmaterializedApp' });
      expect(await quick.run<OperationOutcome>(world, 'generateProject', nextRequest())).toMatchObject({ outcome: 'unchanged', failure: 'UnmaterializedApp' });
      expect(world.visible()).toEqual(before);
    },
  );

  test.each(AFTER_DECISION.flatMap((name) => [[name, 'before'], [name, 'after']] as const))(
    '%s fails for good %s its effect, after the decision: code, rows and infra come back, the timeline stays', async (name, kind) => {
      const world = FakeWorld.proposingBlog();
      const before = world.visible();
      world.faults.set(name, { kind, times: 1, type: 'InvariantViolated' });
      expect(await quick.run<OperationOutcome>(world, 'generateProject', nextRequest())).toMatchObject({ outcome: 'unchanged', failure: 'InvariantViolated' });
      expect({ ...world.visible(), runRefs: false }).toEqual({ ...before, runRefs: false });
    },
  );

  test('an app that stays unmaterialized refuses the run before any producer runs', async () => {
    const world = FakeWorld.proposingBlog();
    world.faults.set('ensurePendingApp', { kind: 'before', times: 1, type: 'UnmaterializedApp' });
    await bench.run<OperationOutcome>(world, 'generateProject', nextRequest());
    expect(world.calls).not.toContain('produceApp');
    expect(world.calls).not.toContain('composeCommit');
  });

  test('a run terminated after its decision is finished by the next operation', async () => {
    const world = FakeWorld.proposingBlog();
    world.faults.set('convergeSchema', { kind: 'before', times: 1000, type: 'Unavailable' });
    const request = nextRequest();
    await expect(bench.run(world, 'generateProject', request, async ({ id }) => {
      while (!world.calls.includes('convergeSchema')) await new Promise((resolve) => setTimeout(resolve, 20));
      await bench.environment.client.workflow.getHandle(id).terminate('test');
    })).rejects.toThrow();
    world.faults.clear();
    expect(await bench.run(world, 'recoverProject', { projectId: PROJECT, operationId: 'op_grecover001' as OperationId })).toMatchObject({ outcome: 'recovered' });
    expectGenerated(world, request.operationId);
  });

  test('a run terminated before its decision leaves nothing after the next operation', async () => {
    const world = FakeWorld.proposingBlog();
    const before = world.visible();
    world.faults.set('checkApp', { kind: 'before', times: 1000, type: 'Unavailable' });
    await expect(bench.run(world, 'generateProject', nextRequest(), async ({ id }) => {
      while (!world.calls.includes('checkApp')) await new Promise((resolve) => setTimeout(resolve, 20));
      await bench.environment.client.workflow.getHandle(id).terminate('test');
    })).rejects.toThrow();
    world.faults.clear();
    expect(await bench.run(world, 'recoverProject', { projectId: PROJECT, operationId: 'op_grecover002' as OperationId })).toMatchObject({ outcome: 'recovered' });
    expect(world.visible()).toEqual(before);
  });
});
