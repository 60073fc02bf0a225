/**
 * Wraps every activity: heartbeats while it runs, so that a killed worker is noticed within the
 * heartbeat time-out, and turns our typed errors into failures that carry type and details over
 * Temporal's wire. The one place where retryability is decided. Secrets never enter either (I7).
 */
import { activityInfo, Context } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityInboundCallsInterceptor, ActivityInterceptors } from '@temporalio/worker';
import { AdorableError, isRetryable } from '../shared/errors.ts';
import { errorFields, log } from '../local/log.ts';

/** A quarter of the heartbeat time-out: two may be lost. */
const HEARTBEAT_MS = 2000;

/** What each running activity said last, so that the next heartbeat does not forget it. */
const said = new WeakMap<Context, unknown>();

/** Shown by Temporal as the activity's heartbeat details until it says something else. */
export function reportProgress(details: unknown): void {
  said.set(Context.current(), details);
}

export function activityInterceptors(): ActivityInterceptors {
  const inbound: ActivityInboundCallsInterceptor = {
    async execute(input, next) {
      const context = Context.current();
      const beat = setInterval(() => { context.heartbeat(said.get(context)); }, HEARTBEAT_MS);
      context.heartbeat();
      try {
        return await next(input);
      } catch (error) {
        const { activityType, attempt, workflowExecution } = activityInfo();
        const cancelled = context.cancellationSignal.aborted;
        // A cancelled attempt's failure too: that of a worker which was overtaken says which store refused it.
        log('warn', `activity ${activityType} failed`, { attempt, workflowId: workflowExecution?.workflowId, ...(cancelled ? { cancelled } : {}), ...errorFields(error) });
        if (cancelled) throw new CancelledFailure('cancelled');
        throw toApplicationFailure(error);
      } finally {
        clearInterval(beat);
      }
    },
  };
  return { inbound };
}

export function toApplicationFailure(error: unknown): Error {
  if (error instanceof ApplicationFailure || error instanceof CancelledFailure) return error;
  if (error instanceof AdorableError) {
    const { retryAfterMs } = error.details;
    // Whoever asks for a pause gets it; otherwise the profile's back-off decides.
    const pause = typeof retryAfterMs === 'number' && isRetryable(error.type) ? { nextRetryDelay: retryAfterMs } : {};
    return ApplicationFailure.create({ type: error.type, message: error.message, nonRetryable: !isRetryable(error.type), details: [error.details], ...pause });
  }
  return ApplicationFailure.create({ type: 'Unclassified', message: error instanceof Error ? error.message : String(error), nonRetryable: false });
}
