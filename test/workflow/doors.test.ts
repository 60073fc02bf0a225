/**
 * Every door × every point at which a generation can die: whichever door comes next, the world is as
 * after an undisturbed approval, or that door is refused because there is nothing left to generate.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { GenerationDoor } from '../../shared/contract/generate-project.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { AppId, OperationId } from '../../shared/ids.ts';
import { FakeWorld, PROJECT } from '../support/fake-world.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { WorkflowBench } from '../support/temporal.ts';

const DOORS: readonly GenerationDoor[] = ['approve_plan', 'trigger_generation', 'resume', 'retry', 'iteration_carryover'];
/** What is left undone, and the activity that is not reached any more. */
const POINTS = [
  ['the plan', 'commitDirty'], ['the row', 'scaffoldApp'], ['the scaffold', 'resolveCreatesAppSentinels'], ['the commit', 'ensureSecrets'],
  ['the decision', 'convergeRows'], ['the migration', 'convergeInfra'],
] as const;
const DECIDED: ReadonlySet<string> = new Set(['convergeRows', 'convergeInfra']);
const BLOG = { appId: 'a_00000000blog' as AppId, slug: 'blog', kind: 'react', name: 'Blog', featureId: 'blog' } as const;

let bench: WorkflowBench;
let counter = 0;
let undisturbed: ReturnType<typeof endState>;
beforeAll(async () => {
  bench = await openWorkflowBench();
  const world = newWorld();
  expect(await bench.run<OperationOutcome>(world, 'generateProject', request('approve_plan'))).toMatchObject({ outcome: 'generated' });
  undisturbed = endState(world);
});
afterAll(async () => { await bench.close(); });

const request = (door: GenerationDoor) => ({ projectId: PROJECT, operationId: `op_d${String((counter += 1)).padStart(11, '0')}` as OperationId, door });

function newWorld(): FakeWorld {
  const world = new FakeWorld();
  world.proposal = { ...world.proposal, creates: [BLOG] };
  return world;
}

/** Without the name of the checkpoint, which is the operation's own. */
function endState(world: FakeWorld) {
  const { position, ...rest } = world.visible();
  return { ...rest, isPositioned: position !== null, open: [...world.operations.values()].filter((row) => row.outcome === null).length };
}

describe('every door, at every point', () => {
  test.each(POINTS.flatMap(([what, activity]) => DOORS.map((door, index) => [what, door, DOORS[(index + 1) % DOORS.length] ?? door, activity] as const)))(
    'dies after %s, come by %s; %s comes next', async (_what, door, next, activity) => {
      const world = newWorld();
      world.faults.set(activity, { kind: 'before', times: 1000, type: 'Unavailable' });
      await expect(bench.run(world, 'generateProject', request(door), async ({ id }) => {
        while (!world.calls.includes(activity)) await new Promise((resolve) => setTimeout(resolve, 5));
        await bench.environment.client.workflow.getHandle(id).terminate('test');
      })).rejects.toThrow();
      world.faults.clear();
      // What was decided is finished by the next operation: then no approved revision is left.
      if (DECIDED.has(activity)) world.faults.set('planGeneration', { kind: 'before', times: 1, type: 'PreconditionFailed' });
      expect(await bench.run<OperationOutcome>(world, 'generateProject', request(next))).toMatchObject(
        DECIDED.has(activity) ? { outcome: 'unchanged', failure: 'PreconditionFailed' } : { outcome: 'generated' },
      );
      expect(endState(world)).toEqual(undisturbed);
    },
  );
});
