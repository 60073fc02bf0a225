/** `generateProject`: the one door, with its children `materializeApp` and `generateApp`. */
import type { OperationId, RevisionId } from '../ids.ts';
import type { Fenced } from '../moment.ts';
import type { Bucket, CommitPoint, MaterializedApp } from '../ports.ts';
import type { OperationRequest } from './operation.ts';

export const GENERATE_PROJECT = 'generateProject';

/** How a person got here: every one of them comes through the same door. */
export type GenerationDoor = 'approve_plan' | 'trigger_generation' | 'resume' | 'retry' | 'iteration_carryover';

export interface GenerateRequest extends OperationRequest {
  readonly door: GenerationDoor;
  /** Left out: the newest approved revision that is not done. */
  readonly revisionId?: RevisionId;
  /** How long a bucket that failed waits for `resumeRun` before the run closes as `failed-resumable`. */
  readonly waitMs?: number;
}

export interface MaterializeAppRequest {
  readonly fenced: Fenced;
  readonly app: MaterializedApp;
  readonly revisionId: RevisionId;
}

export interface GenerateAppRequest {
  readonly fenced: Fenced;
  readonly bucket: Bucket;
  readonly revisionId: RevisionId;
  /** An operation whose result for this app is taken up where it still fits. */
  readonly from?: OperationId;
}

export type GenerateAppResult = CommitPoint;
