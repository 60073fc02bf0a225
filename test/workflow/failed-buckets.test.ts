/**
 * A bucket whose producer fails: the others' work is kept, the run waits for `resumeRun` and runs only
 * what failed again; without one it closes as `failed-resumable` and another run takes the rest up.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { CANCEL_RUN, PROGRESS, RESUME_RUN } from '../../shared/contract/operation.ts';
import type { GenerateRequest } from '../../shared/contract/generate-project.ts';
import type { OperationOutcome, Progress } from '../../shared/contract/operation.ts';
import type { AppId, OperationId } from '../../shared/ids.ts';
import type { BoundaryCall } from '../support/fake-world.ts';
import { FakeWorld, PROJECT, REVISION } from '../support/fake-world.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { WorkflowBench } from '../support/temporal.ts';

const BLOG = { appId: 'a_00000000blog' as AppId, slug: 'blog', kind: 'react', name: 'Blog', featureId: 'blog' } as const;
const BOARD = { appId: 'a_0000000board' as AppId, slug: 'task-board', kind: 'fullstack', name: 'Board', featureId: 'task-board' } as const;
let bench: WorkflowBench;
let counter = 0;
beforeAll(async () => { bench = await openWorkflowBench(); });
afterAll(async () => { await bench.close(); });

/** Two new apps, of which the blog's check fails as often as said. */
function twoApps(failures: number, extra: Partial<GenerateRequest> = {}) {
  counter += 1;
  const world = new FakeWorld();
  world.proposal = { ...world.proposal, creates: [BLOG, BOARD] };
  world.faults.set('checkApp', { kind: 'before', times: failures, type: 'BuildFailed' });
  const produced: string[] = [];
  world.observe = ({ name, input }: Pick<BoundaryCall, 'name' | 'input'>) => {
    if (name === 'produceApp') produced.push((input as { bucket: { slug: string } }).bucket.slug);
  };
  return { world, produced, request: { projectId: PROJECT, operationId: `op_b${String(counter).padStart(11, '0')}` as OperationId, door: 'trigger_generation' as const, ...extra } };
}

async function waiting(id: string): Promise<Progress> {
  const handle = bench.environment.client.workflow.getHandle(id);
  for (;;) {
    const progress = await handle.query<Progress>(PROGRESS);
    if (progress.waitingFor !== undefined) return progress;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('waits and names the failed bucket; resume runs that one alone, and the project is generated', async () => {
  const { world, produced, request } = twoApps(1);
  const outcome = await bench.run<OperationOutcome>(world, 'generateProject', request, async ({ id }) => {
    const { waitingFor } = await waiting(id);
    expect(waitingFor).toMatch(/^resume: (blog|task-board) \(BuildFailed: /);
    await bench.environment.client.workflow.getHandle(id).signal(RESUME_RUN);
  });
  expect(outcome).toMatchObject({ outcome: 'generated' });
  expect(produced).toHaveLength(3);
  expect(world.visible()).toMatchObject({ liveApps: ['a_000000000001', BLOG.appId, BOARD.appId], pendingApps: [], runRefs: false });
  expect(world.leaks()).toEqual([]);
});

test('cancelled while it waits: unwound to the state before', async () => {
  const { world, request } = twoApps(1);
  const before = world.visible();
  const outcome = await bench.run<OperationOutcome>(world, 'generateProject', request, async ({ id }) => {
    await waiting(id);
    await bench.environment.client.workflow.getHandle(id).signal(CANCEL_RUN, { reason: 'not worth it' });
  });
  expect(outcome).toMatchObject({ outcome: 'unchanged', failure: 'Cancelled' });
  expect(world.visible()).toEqual(before);
  expect(world.leaks()).toEqual([]);
});

test('nobody resumes: closes as resumable with only the finished results kept, and the door resume takes them up', async () => {
  const { world, request, produced } = twoApps(1, { waitMs: 1 });
  const before = world.visible();
  const outcome = await bench.run<OperationOutcome>(world, 'generateProject', request);
  expect(outcome).toMatchObject({ outcome: 'failed-resumable', failure: 'BuildFailed', resumable: { revisionId: REVISION } });
  const [finished] = outcome.resumable?.finished ?? [];
  expect(outcome.resumable?.finished).toHaveLength(1);
  expect(world.visible()).toEqual({ ...before, runRefs: true });
  expect(world.leaks()).toEqual([`run refs of ${request.operationId}`]);

  produced.length = 0;
  world.reuse = { operationId: request.operationId, apps: outcome.resumable?.finished ?? [] };
  const again = await bench.run<OperationOutcome>(world, 'generateProject', twoApps(0, { door: 'resume' }).request);
  expect(again).toMatchObject({ outcome: 'generated' });
  expect(produced).toEqual([[BLOG, BOARD].find(({ appId }) => appId !== finished)?.slug]);
  expect(world.calls).toContain('adoptResult');
});

test('a failure that no producer can mend stops the siblings and refuses the run at once', async () => {
  const { world, request } = twoApps(0);
  const before = world.visible();
  world.faults.set('checkApp', { kind: 'before', times: 1, type: 'UnmaterializedApp' });
  expect(await bench.run<OperationOutcome>(world, 'generateProject', request)).toMatchObject({ outcome: 'unchanged', failure: 'UnmaterializedApp' });
  expect(world.visible()).toEqual(before);
});

test('a plan of many apps makes all of them, eight side by side', async () => {
  const { world, request } = twoApps(0);
  const apps = Array.from({ length: 20 }, (_, at) => ({ ...BLOG, appId: `a_000000app${String(at).padStart(3, '0')}` as AppId, slug: `app-${String(at)}`, featureId: `f${String(at)}` }));
  world.proposal = { ...world.proposal, creates: apps };
  const [busy, most] = [new Set<string>(), { busy: 0 }];
  world.observe = ({ name, input }) => {
    const { bucket } = input as { bucket?: { slug: string } };
    if (bucket === undefined) return;
    if (name === 'produceApp') busy.add(bucket.slug);
    most.busy = Math.max(most.busy, busy.size);
    if (name === 'checkApp') busy.delete(bucket.slug);
  };
  expect(await bench.run<OperationOutcome>(world, 'generateProject', request)).toMatchObject({ outcome: 'generated' });
  expect(world.visible()).toMatchObject({ liveApps: ['a_000000000001', ...apps.map(({ appId }) => appId)], pendingApps: [] });
  expect(most.busy).toBeLessThanOrEqual(8);
  expect(most.busy).toBeGreaterThan(1);
});
