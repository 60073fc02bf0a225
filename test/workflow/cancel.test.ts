/**
 * `cancelRun` as the Temporal Web UI's signal button sends it, without an operation's id, while each
 * step before the decision is at work: unwound, world as before. From the decision on it comes too
 * late: the run completes and names what takes it back (I2).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CANCEL_RUN, PROGRESS } from '../../shared/contract/operation.ts';
import type { OperationOutcome, OperationRequest } from '../../shared/contract/operation.ts';
import type { OperationId } from '../../shared/ids.ts';
import { FakeWorld, PROJECT } from '../support/fake-world.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { WorkflowBench } from '../support/temporal.ts';

let bench: WorkflowBench;
let counter = 0;
beforeAll(async () => { bench = await openWorkflowBench(); });
afterAll(async () => { await bench.close(); });

interface Shape {
  readonly workflow: string;
  readonly input: object;
  readonly outcome: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
}

const SHAPES: readonly Shape[] = [
  {
    workflow: 'restoreProject', input: { target: 'undo', mode: 'all' }, outcome: 'restored',
    before: ['planRestore', 'forkBranch', 'freeze', 'commitDirty', 'stopCompute'],
    after: ['decide', 'convergeRows', 'startCompute', 'verifyMoment', 'startTiers', 'open'],
  },
  {
    workflow: 'generateProject', input: { door: 'approve_plan' }, outcome: 'generated',
    before: [
      'planGeneration', 'commitDirty', 'recordCheckpointIntent', 'emitCheckpointLsn', 'pinMoment', 'completeCheckpoint', 'ensurePendingApp', 'scaffoldApp',
      'ensureAppSchema', 'resolveCreatesAppSentinels', 'bucketPlan', 'produceApp', 'checkApp', 'composeCommit', 'ensureSecrets',
    ],
    after: ['decide', 'restoreVersion', 'convergeSchema', 'verifyMoment', 'startTiers', 'seedServices'],
  },
];

/** What a person may type into the Web UI's dialog: nothing at all, or a reason. */
const SENT: readonly [readonly [string, readonly unknown[]], readonly [string, readonly unknown[]]] = [['with nothing', []], ['with a reason', [{ reason: 'not today' }]]];

/** The step is held in its activity until the workflow has seen the signal; then its effect lands. */
async function cancelledAt(shape: Shape, activity: string, args: readonly unknown[]): Promise<{ world: FakeWorld; before: unknown; outcome: OperationOutcome }> {
  counter += 1;
  const world = FakeWorld.proposingBlog();
  const before = world.visible();
  const reached = Promise.withResolvers<void>();
  const seen = Promise.withResolvers<void>();
  world.intercept = async (call) => {
    if (call.name === activity && call.nth === 1) {
      reached.resolve();
      await seen.promise;
    }
    return await call.effect();
  };
  const request: OperationRequest = { projectId: PROJECT, operationId: `op_c${String(counter).padStart(11, '0')}` as OperationId, ...shape.input };
  const outcome = await bench.run<OperationOutcome>(world, shape.workflow, request, async ({ id }) => {
    await reached.promise;
    const handle = bench.environment.client.workflow.getHandle(id);
    await handle.signal(CANCEL_RUN, ...args);
    // A query is answered after what came before it.
    await handle.query(PROGRESS);
    seen.resolve();
  });
  return { world, before, outcome };
}

describe.each(SHAPES.map((shape) => [shape.workflow, shape] as const))('%s, told to cancel by a plain signal', (_name, shape) => {
  // By turns: what is sent decides nothing about the step.
  test.each(shape.before.map((activity, index) => [activity, ...(SENT[index % SENT.length] ?? SENT[0])] as const))('while %s is at work, %s: unwound, world as before', async (activity, _how, args) => {
    const { world, before, outcome } = await cancelledAt(shape, activity, args);
    expect(outcome).toMatchObject({ outcome: 'unchanged', failure: 'Cancelled', message: expect.stringContaining(args.length === 0 ? 'cancelled' : 'not today') });
    expect(world.visible()).toEqual(before);
    expect(world.leaks()).toEqual([]);
  });

  test.each(shape.after)('while %s is at work: it completes', async (activity) => {
    const { world, outcome } = await cancelledAt(shape, activity, []);
    expect(outcome).toMatchObject({ outcome: shape.outcome, undo: expect.stringMatching(/^cp_/) });
    expect(world.leaks()).toEqual([]);
  });
});
