/**
 * What all operations on a project share: the Workflow ID that makes the Temporal server the
 * mutex, the task queue, the messages that steer a run and what it answers.
 */
import type { AppId, OperationId, ProjectId, RevisionId } from '../ids.ts';
import type { OperationKind } from '../moment.ts';
import type { Receipt } from '../restore/plan.ts';

export const TASK_QUEUE = 'adorable';

export function projectWorkflowId(projectId: ProjectId): string {
  return `project/${projectId}`;
}

export const SEARCH_ATTRIBUTES = { projectId: 'ProjectId', operation: 'Operation', phase: 'Phase' } as const;

export const CANCEL_RUN = 'cancelRun';
export const RESUME_RUN = 'resumeRun';
export const CANCEL_RUN_UPDATE = 'cancelRunUpdate';
export const RESUME_RUN_UPDATE = 'resumeRunUpdate';
export const PROGRESS = 'progress';

/** `operationId` may be left out only where a person sends it to the run they look at (the Web UI). */
export interface CancelRun {
  readonly operationId?: OperationId;
  readonly reason: string;
}

export interface ResumeRun {
  readonly operationId?: OperationId;
}

export type StepState = 'running' | 'done' | 'failed' | 'undoing' | 'undone';

export interface StepProgress {
  readonly name: string;
  readonly state: StepState;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly detail?: string;
}

/** What an operation waits for while an outage lasts. It stays open and keeps trying; `resumeRun` pushes it. */
export interface Stuck {
  readonly activity: string;
  readonly since: string;
  readonly attempt: number;
  /** Absent while its first attempt has not answered at all. */
  readonly lastFailure?: string;
}

export interface Progress {
  readonly projectId: ProjectId;
  readonly operationId: OperationId;
  readonly kind: OperationKind;
  readonly phase: string;
  readonly steps: readonly StepProgress[];
  /** What a person is waited for, when the run waits. */
  readonly waitingFor?: string;
  /** Added by the client, from what Temporal says of the run's pending activities. */
  readonly stuck?: Stuck;
}

export interface OperationRequest {
  readonly projectId: ProjectId;
  readonly operationId: OperationId;
}

export type Health = 'healthy' | 'degraded';

export interface DegradedPart {
  readonly name: string;
  readonly reason: string;
}

export interface OperationOutcome {
  readonly operationId: OperationId;
  readonly outcome: 'provisioned' | 'generated' | 'restored' | 'deleted' | 'recovered' | 'recorded' | 'swept' | 'unchanged' | 'failed-resumable';
  readonly health: Health;
  readonly degraded: readonly DegradedPart[];
  readonly message: string;
  readonly receipt?: Receipt;
  /** The checkpoint that undoes this operation. */
  readonly undo?: string;
  /** The failure's type when the outcome is `unchanged` or `failed-resumable`. */
  readonly failure?: string;
  readonly resumable?: Resumable;
}

/** A generation of which nothing is to be seen, but whose finished buckets another may take up. */
export interface Resumable {
  readonly revisionId: RevisionId;
  readonly finished: readonly AppId[];
  readonly failed: readonly AppId[];
}
