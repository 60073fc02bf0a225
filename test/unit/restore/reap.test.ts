/** The pure decision of a sweep: whatever the world looks like, nothing that a root reaches goes (I3, I6). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { forkTimelineId } from '../../../shared/derive.ts';
import type { CheckpointId, CommitSha, OperationId, TimelineId, TreeHash } from '../../../shared/ids.ts';
import { isNothing, reapable } from '../../../shared/restore/reap.ts';
import type { ReapFacts } from '../../../shared/restore/reap.ts';

const operation = (n: number): OperationId => `op_${String(n).padStart(12, '0')}` as OperationId;
const checkpoint = (n: number): CheckpointId => `cp_${String(n).padStart(12, '0')}` as CheckpointId;
const timeline = (n: number): TimelineId => n.toString(16).padStart(32, '0') as TimelineId;
const commit = (n: number): CommitSha => n.toString(16).padStart(40, 'c') as CommitSha;
const tree = (n: number): TreeHash => n.toString(16).padStart(40, '0') as TreeHash;

const few = fc.integer({ min: 1, max: 6 });
const timelineIds = fc.oneof(few.map(timeline), few.map((n) => forkTimelineId(operation(n))));
const unique = <T>(item: fc.Arbitrary<T>, by: (value: T) => unknown) => fc.uniqueArray(item, { selector: by, maxLength: 8 });

const world: fc.Arbitrary<ReapFacts> = fc.record({
  checkpoints: unique(fc.record({
    id: few.map(checkpoint), status: fc.constantFrom('intent' as const, 'complete' as const, 'void' as const), operationId: few.map(operation),
    timelineId: timelineIds, commit: few.map(commit),
  }), (row) => row.id),
  position: fc.record({ checkpoints: fc.array(few.map(checkpoint), { maxLength: 2 }), timelines: fc.array(timelineIds, { maxLength: 2 }) }),
  operations: unique(fc.record({ id: few.map(operation), open: fc.boolean(), resumable: fc.boolean(), timelines: fc.array(timelineIds, { maxLength: 2 }) }), (row) => row.id),
  timelines: unique(fc.record({
    id: timelineIds, ancestor: fc.option(timelineIds), attached: fc.boolean(), settled: fc.boolean(),
    pins: fc.uniqueArray(fc.oneof(few.map(checkpoint), fc.constant('somebody')), { maxLength: 3 }),
  }), (row) => row.id),
  runs: unique(fc.record({ operationId: few.map(operation), unmerged: fc.array(few.map(commit), { maxLength: 2 }) }), (row) => row.operationId),
  trees: fc.uniqueArray(few.map(tree)),
  served: fc.array(few.map(tree), { maxLength: 2 }),
});

/** Everything that must be there while this timeline is. */
function lineage(facts: ReapFacts, id: TimelineId): Set<TimelineId> {
  const all = new Set<TimelineId>();
  for (let at: TimelineId | null = id; at !== null && !all.has(at); at = facts.timelines.find((row) => row.id === at)?.ancestor ?? null) all.add(at);
  return all;
}

/** No server answers such a thing; where one did, there is no order among what leads into the circle. */
function leadsIntoCircle(facts: ReapFacts, id: TimelineId): boolean {
  const all = new Set<TimelineId>();
  for (let at: TimelineId | null = id; at !== null; at = facts.timelines.find((row) => row.id === at)?.ancestor ?? null) {
    if (all.has(at)) return true;
    all.add(at);
  }
  return false;
}

describe('reapable', () => {
  test('never takes anything that a complete checkpoint reaches: its timeline with all ancestors, its pin, its commit', () => {
    fc.assert(fc.property(world, (facts) => {
      const plan = reapable(facts);
      for (const row of facts.checkpoints.filter((candidate) => candidate.status === 'complete')) {
        for (const id of lineage(facts, row.timelineId)) expect(plan.forks).not.toContain(id);
        expect(plan.pins.map((pin) => pin.checkpointId)).not.toContain(row.id);
        expect(plan.checkpoints).not.toContain(row.id);
        for (const run of facts.runs) if (run.unmerged.includes(row.commit)) expect(plan.runs).not.toContain(run.operationId);
      }
    }), { numRuns: 500 });
  });

  test('never takes what the project, an open operation, a pod or a holder needs', () => {
    fc.assert(fc.property(world, (facts) => {
      const plan = reapable(facts);
      for (const id of facts.position.timelines) expect(plan.forks).not.toContain(id);
      for (const id of facts.position.checkpoints) {
        expect(plan.checkpoints).not.toContain(id);
        expect(plan.pins.map((pin) => pin.checkpointId)).not.toContain(id);
      }
      for (const row of facts.operations.filter((candidate) => candidate.open)) {
        expect(plan.runs).not.toContain(row.id);
        for (const id of [forkTimelineId(row.id), ...row.timelines]) expect(plan.forks).not.toContain(id);
        expect(plan.checkpoints.filter((id) => facts.checkpoints.find((one) => one.id === id)?.operationId === row.id)).toEqual([]);
      }
      for (const row of facts.timelines.filter((candidate) => candidate.attached || candidate.pins.includes('somebody'))) expect(plan.forks).not.toContain(row.id);
      for (const hash of facts.served) expect(plan.trees).not.toContain(hash);
    }), { numRuns: 500 });
  });

  test('what is reaped is there, and reaping it leaves nothing for a second sweep', () => {
    fc.assert(fc.property(world, (facts) => {
      const plan = reapable(facts);
      const gone = new Set(plan.forks);
      const after: ReapFacts = {
        ...facts,
        checkpoints: facts.checkpoints.map((row) => (plan.checkpoints.includes(row.id) ? { ...row, status: 'void' as const } : row)),
        timelines: facts.timelines.filter((row) => !gone.has(row.id)).map((row) => ({ ...row, pins: row.pins.filter((pin) => !plan.pins.some((one) => one.timelineId === row.id && one.checkpointId === pin)) })),
        runs: facts.runs.filter((run) => !plan.runs.includes(run.operationId)),
        trees: facts.trees.filter((hash) => !plan.trees.includes(hash)),
      };
      expect(isNothing(reapable(after))).toBe(true);
      for (const id of plan.forks) expect(facts.timelines.map((row) => row.id)).toContain(id);
      // A child goes before its parent, or a pageserver refuses.
      for (const row of facts.timelines) {
        const [child, parent] = [plan.forks.indexOf(row.id), row.ancestor === null ? -1 : plan.forks.indexOf(row.ancestor)];
        if (child >= 0 && parent >= 0 && !leadsIntoCircle(facts, row.id)) expect(child).toBeLessThan(parent);
      }
    }), { numRuns: 500 });
  });

  test('takes the fork, the pin, the intent, the run refs and the tree of a closed operation', () => {
    const closed = operation(1);
    const root = { id: checkpoint(1), status: 'complete' as const, operationId: closed, timelineId: timeline(1), commit: commit(1) };
    expect(reapable({
      checkpoints: [root, { ...root, id: checkpoint(2), status: 'intent' }],
      position: { checkpoints: [root.id], timelines: [timeline(1)] },
      operations: [{ id: closed, open: false, resumable: false, timelines: [] }],
      timelines: [
        { id: timeline(1), ancestor: null, pins: [checkpoint(1), checkpoint(2)], attached: true, settled: true },
        { id: forkTimelineId(closed), ancestor: timeline(1), pins: [checkpoint(3)], attached: false, settled: false },
        { id: timeline(9), ancestor: timeline(1), pins: [], attached: false, settled: false },
      ],
      runs: [{ operationId: closed, unmerged: [commit(7)] }], trees: [tree(2), tree(3)], served: [tree(3)],
    })).toEqual({
      forks: [forkTimelineId(closed)],
      pins: [{ timelineId: timeline(1), checkpointId: checkpoint(2) }, { timelineId: forkTimelineId(closed), checkpointId: checkpoint(3) }],
      checkpoints: [checkpoint(2)], runs: [closed], trees: [tree(2)], foreignPins: [],
    });
  });
});
