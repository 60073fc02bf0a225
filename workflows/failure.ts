/** Failures as workflows see them: matched on `type`, made as ApplicationFailure so that a run fails, not its task. */
import { ActivityFailure, ApplicationFailure, CancelledFailure, ChildWorkflowFailure, isCancellation } from '@temporalio/workflow';
import { isFailureType } from '../shared/errors.ts';
import type { FailureType } from '../shared/errors.ts';

export interface Failure {
  readonly type: FailureType;
  readonly message: string;
}

export function failure(type: FailureType, message: string, cause?: unknown): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true, ...(cause instanceof Error ? { cause } : {}) });
}

/** The innermost typed failure: activity and child wrappers carry no decision of their own. */
export function toFailure(error: unknown): Failure {
  if (isCancellation(error)) return { type: 'Cancelled', message: 'The run was cancelled: nothing was changed.' };
  let inner: unknown = error;
  while ((inner instanceof ActivityFailure || inner instanceof ChildWorkflowFailure) && inner.cause !== undefined) inner = inner.cause;
  if (inner instanceof CancelledFailure) return { type: 'Cancelled', message: 'The run was cancelled: nothing was changed.' };
  if (inner instanceof ApplicationFailure) {
    return { type: isFailureType(inner.type) ? inner.type : 'Unclassified', message: inner.message };
  }
  return { type: 'Unclassified', message: inner instanceof Error ? inner.message : String(inner) };
}
