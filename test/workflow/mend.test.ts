/**
 * What the checks find goes back to a producer that can mend it, a bounded number of times, and each
 * attempt is an event of the run; otherwise the bucket fails and nothing is left.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { AppId, OperationId } from '../../shared/ids.ts';
import type { CheckFinding } from '../../shared/ports.ts';
import { FakeWorld, PROJECT } from '../support/fake-world.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { WorkflowBench } from '../support/temporal.ts';

const BLOG = { appId: 'a_00000000blog' as AppId, slug: 'blog', kind: 'react', name: 'Blog', featureId: 'blog' } as const;
const wrong = (message: string, kind: CheckFinding['kind'] = 'type'): CheckFinding[] => [{ kind, file: 'apps/blog/src/main.tsx', line: 3, message }];
let bench: WorkflowBench;
let counter = 0;
beforeAll(async () => { bench = await openWorkflowBench(); });
afterAll(async () => { await bench.close(); });

async function generate(settings: Partial<Pick<FakeWorld, 'produceAttempts' | 'findings'>>): Promise<{ world: FakeWorld; outcome: OperationOutcome; steps: string[]; before: object }> {
  const world = new FakeWorld();
  world.proposal = { ...world.proposal, creates: [BLOG] };
  Object.assign(world, settings);
  const before = world.visible();
  counter += 1;
  const request = { projectId: PROJECT, operationId: `op_m${String(counter).padStart(11, '0')}` as OperationId, door: 'approve_plan' as const, waitMs: 0 };
  const outcome = await bench.run<OperationOutcome>(world, 'generateProject', request);
  return { world, outcome, before, steps: world.calls.filter((name) => name === 'produceApp' || name === 'checkApp') };
}

describe('failed checks', () => {
  test('go back with what was found until they pass', async () => {
    const { world, outcome, steps } = await generate({ produceAttempts: 3, findings: [wrong('one'), wrong('two', 'build')] });
    expect(outcome).toMatchObject({ outcome: 'generated' });
    expect(steps).toEqual(['produceApp', 'checkApp', 'produceApp', 'checkApp', 'produceApp', 'checkApp']);
    expect(world.mended).toEqual([{ attempt: 1, errors: wrong('one') }, { attempt: 2, errors: wrong('two', 'build') }]);
  });

  test.each([
    ['the last attempt fails too', { produceAttempts: 3, findings: [wrong('one'), wrong('two'), wrong('three')] }, 6, 'attempt 3: three'],
    ['the producer cannot mend', { produceAttempts: 1, findings: [wrong('one')] }, 2, 'attempt 1: one'],
  ])('%s: the bucket fails, says so, and nothing is left but its run refs', async (_, settings, calls, message) => {
    const { world, outcome, steps, before } = await generate(settings);
    expect(outcome).toMatchObject({ outcome: 'failed-resumable', failure: 'BuildFailed', resumable: { finished: [] } });
    expect(outcome.message).toContain(message);
    expect(steps).toHaveLength(calls);
    expect(world.visible()).toEqual({ ...before, runRefs: true });
  });

  test('a tree that leaves itself is not sent back', async () => {
    const { world, outcome, before } = await generate({ produceAttempts: 3, findings: [wrong('leaves', 'isolation')] });
    expect(outcome).toMatchObject({ outcome: 'failed-resumable', failure: 'IsolationViolated', resumable: { finished: [] } });
    expect(world.mended).toEqual([]);
    expect(world.visible()).toEqual({ ...before, runRefs: true });
  });
});
