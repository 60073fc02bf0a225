/** `restoreProject`: the three-store restore, and `planRestore`: the same plan without the lock. */
import type { RestoreMode } from '../moment.ts';
import type { ProjectId } from '../ids.ts';
import type { OperationOutcome, OperationRequest } from './operation.ts';

export const RESTORE_PROJECT = 'restoreProject';
export const PLAN_RESTORE = 'planRestore';

/** A checkpoint id, `undo` / `previous`, `redo`, or `before:<slug>`. */
export type RestoreTarget = string;

export interface RestoreRequest extends OperationRequest {
  readonly target: RestoreTarget;
  readonly mode: RestoreMode;
  /** Digest of a plan that was seen; refused when anything moved since. */
  readonly expect?: string;
  /** `data` or `code` alone although that parts code and schema. */
  readonly acceptDrift?: boolean;
}

export interface PlanRestoreRequest {
  readonly projectId: ProjectId;
  readonly target: RestoreTarget;
  readonly mode: RestoreMode;
  readonly acceptDrift?: boolean;
}

export type RestoreOutcome = OperationOutcome;
