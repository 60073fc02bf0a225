/** `generateProject`: the one door, with its children `materializeApp` and `generateApp`. */
import type { RevisionId } from '../ids.ts';
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
}

export type GenerateAppResult = CommitPoint;
