/**
 * What a sweep may reap: pure, from what was read. A root is a complete checkpoint, the project's
 * position, an open operation, a live pod or HEAD; nothing that a root reaches ever goes (I3), and
 * what this project did not make is named and left alone (I6).
 */
import { forkTimelineId } from '../derive.ts';
import type { CheckpointId, CommitSha, OperationId, TimelineId, TreeHash } from '../ids.ts';

export interface CheckpointFact {
  readonly id: CheckpointId;
  readonly status: 'intent' | 'complete' | 'void';
  readonly operationId: OperationId;
  readonly timelineId: TimelineId;
  readonly commit: CommitSha;
}

export interface TimelineFact {
  readonly id: TimelineId;
  readonly ancestor: TimelineId | null;
  readonly pins: readonly string[];
  readonly attached: boolean;
  /** Old enough that no read without the lock can still be at work on it. */
  readonly settled: boolean;
}

export interface ReapFacts {
  readonly checkpoints: readonly CheckpointFact[];
  /** Checkpoints and timelines that the project's row names: its position and its redo stack. */
  readonly position: { readonly checkpoints: readonly CheckpointId[]; readonly timelines: readonly TimelineId[] };
  readonly operations: readonly { readonly id: OperationId; readonly open: boolean; /** Its run refs are another run's to take up. */ readonly resumable: boolean; readonly timelines: readonly TimelineId[] }[];
  readonly timelines: readonly TimelineFact[];
  /** Operations with run refs or scratch worktrees; commits of theirs that no branch holds. */
  readonly runs: readonly { readonly operationId: OperationId; readonly unmerged: readonly CommitSha[] }[];
  /** Served trees on disk. */
  readonly trees: readonly TreeHash[];
  /** Trees that HEAD, a Deployment or a pod names: any other is made again from git when it is wanted. */
  readonly served: readonly TreeHash[];
}

export interface ReapPlan {
  /** Descendants before their ancestors. */
  readonly forks: readonly TimelineId[];
  readonly pins: readonly { readonly timelineId: TimelineId; readonly checkpointId: CheckpointId }[];
  readonly checkpoints: readonly CheckpointId[];
  readonly runs: readonly OperationId[];
  readonly trees: readonly TreeHash[];
  /** Pins that no checkpoint of ours could have made. */
  readonly foreignPins: readonly string[];
}

const CHECKPOINT_PIN = /^cp_[a-z0-9]{12}$/;

export function reapable(facts: ReapFacts): ReapPlan {
  const open = new Set(facts.operations.filter((operation) => operation.open).map((operation) => operation.id));
  const named = new Set(facts.position.checkpoints);
  // A listed checkpoint is a root; so is one that the project's row names, or that a run still works on.
  const kept = facts.checkpoints.filter((row) => row.status === 'complete' || named.has(row.id) || (row.status === 'intent' && open.has(row.operationId)));
  const keptIds = new Set([...kept.map((row) => row.id), ...named]);

  const pins = facts.timelines.flatMap((timeline) => timeline.pins.filter((pin) => CHECKPOINT_PIN.test(pin) && !keptIds.has(pin as CheckpointId))
    .map((pin) => ({ timelineId: timeline.id, checkpointId: pin as CheckpointId })));
  const foreignPins = facts.timelines.flatMap((timeline) => timeline.pins.filter((pin) => !CHECKPOINT_PIN.test(pin)).map((pin) => `pin ${pin} of timeline ${timeline.id}`));

  const keptCommits = new Set(kept.map((row) => row.commit));
  const blocked = new Set(facts.operations.filter((operation) => operation.open || operation.resumable).map((operation) => operation.id));
  const served = new Set(facts.served);
  return {
    forks: doomedTimelines(facts, kept, keptIds),
    pins, foreignPins,
    checkpoints: facts.checkpoints.filter((row) => row.status === 'intent' && !keptIds.has(row.id)).map((row) => row.id),
    // A commit that only this run's refs hold must outlive them while a listed checkpoint names it.
    runs: facts.runs.filter((run) => !blocked.has(run.operationId) && !run.unmerged.some((commit) => keptCommits.has(commit))).map((run) => run.operationId),
    trees: facts.trees.filter((tree) => !served.has(tree)),
  };
}

function doomedTimelines(facts: ReapFacts, kept: readonly CheckpointFact[], keptIds: ReadonlySet<string>): TimelineId[] {
  const byId = new Map(facts.timelines.map((timeline) => [timeline.id, timeline]));
  const leaked = new Set(facts.operations.filter((operation) => !operation.open).map((operation) => forkTimelineId(operation.id)));
  const needed = new Set<TimelineId>([
    ...kept.map((row) => row.timelineId),
    ...facts.position.timelines,
    ...facts.operations.filter((operation) => operation.open).flatMap((operation) => [forkTimelineId(operation.id), ...operation.timelines]),
    ...facts.timelines.filter((timeline) => timeline.attached || timeline.pins.some((pin) => !CHECKPOINT_PIN.test(pin) || keptIds.has(pin))).map((timeline) => timeline.id),
    // A throw-away fork of a read that takes no lock: its own maker deletes it, age alone tells a forgotten one.
    ...facts.timelines.filter((timeline) => !timeline.settled && !leaked.has(timeline.id)).map((timeline) => timeline.id),
  ]);
  // A pageserver refuses to delete what has children, and a fork reads through its ancestors there.
  for (const id of [...needed]) for (let at = byId.get(id)?.ancestor ?? null; at !== null && !needed.has(at); at = byId.get(at)?.ancestor ?? null) needed.add(at);
  const depth = (id: TimelineId): number => {
    let steps = 0;
    for (let at = byId.get(id)?.ancestor ?? null; at !== null && steps <= byId.size; at = byId.get(at)?.ancestor ?? null) steps += 1;
    return steps;
  };
  return facts.timelines.map((timeline) => timeline.id).filter((id) => !needed.has(id)).sort((a, b) => depth(b) - depth(a));
}

export function isNothing(plan: ReapPlan): boolean {
  return [plan.forks, plan.pins, plan.checkpoints, plan.runs, plan.trees].every((list) => list.length === 0);
}
