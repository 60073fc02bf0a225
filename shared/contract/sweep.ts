/**
 * `sweep`: reaps what nothing refers to, reports drift and orphans; a schedule starts it. It changes
 * a project only as `sweepProject`, which runs under the project's own Workflow ID and so holds its lock.
 */
import type { CheckpointId, OperationId, ProjectId, TimelineId, TreeHash } from '../ids.ts';
import type { ReapPlan } from '../restore/reap.ts';
import type { Difference } from '../restore/plan.ts';
import type { OperationRequest } from './operation.ts';

export const SWEEP = 'sweep';
export const SWEEP_PROJECT = 'sweepProject';
/** Of the Temporal schedule. */
export const SWEEP_SCHEDULE = 'sweep-projects';

export interface SweepRequest {
  /** Left out: every project. */
  readonly projectId?: ProjectId;
  /** Looks and reports, without the lock. */
  readonly dryRun?: boolean;
}

export type SweepProjectRequest = OperationRequest;

/** What one look at a project found. */
export interface SweepFindings {
  readonly reapable: ReapPlan;
  /** A run that ended without an outcome: the next operation or `recover` finishes it, and nothing is reaped before. */
  readonly abandoned: OperationId | null;
  /** The namespace differs from what the current moment renders, or a stored kind from what is derived. */
  readonly drift: readonly Difference[];
  /** Nobody recorded these: left alone. */
  readonly orphans: readonly string[];
}

export interface Reaped {
  readonly forks: readonly TimelineId[];
  readonly pins: readonly CheckpointId[];
  readonly checkpoints: readonly CheckpointId[];
  /** Operations whose run refs and scratch worktrees went. */
  readonly runs: readonly OperationId[];
  readonly trees: readonly TreeHash[];
}

export interface SweptProject {
  readonly projectId: ProjectId;
  /** `busy`: another operation holds the project; `looked`: a dry run, `reaped` is what would go. */
  readonly state: 'swept' | 'looked' | 'busy' | 'abandoned' | 'failed';
  readonly reaped: Reaped;
  /** What could not be reaped, and why: the next sweep tries again. */
  readonly left: readonly string[];
  readonly drift: readonly Difference[];
  readonly orphans: readonly string[];
  readonly message?: string;
}

export interface SweepReport {
  readonly projects: readonly SweptProject[];
}
