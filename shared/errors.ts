/**
 * The closed list of failure types. Every failure that leaves an activity, a workflow, the
 * CLI or a part of the embedded platform carries one of them; callers match on `type`, never
 * on text or on a class (classes do not survive Temporal's wire).
 */

interface FailureRow {
  /** Whether a retry without a person may succeed. Temporal is the one retrier. */
  readonly retry: boolean;
  /** The CLI's exit code (DESIGN: 1 failed, 2 usage, 3 refused, 4 busy, 5 stuck, 6 degraded). */
  readonly exit: number;
}

export const FAILURES = {
  InvalidInput: { retry: false, exit: 2 },
  NotFound: { retry: false, exit: 3 },
  PreconditionFailed: { retry: false, exit: 3 },
  CurrentMoment: { retry: false, exit: 3 },
  Unreachable: { retry: false, exit: 3 },
  ExpectationFailed: { retry: false, exit: 3 },
  NoBlueprint: { retry: false, exit: 3 },
  PlanRefused: { retry: false, exit: 3 },
  UnmaterializedApp: { retry: false, exit: 3 },
  UnresolvedTarget: { retry: false, exit: 3 },
  IsolationViolated: { retry: false, exit: 1 },
  BuildFailed: { retry: false, exit: 1 },
  Busy: { retry: false, exit: 4 },
  StaleFence: { retry: false, exit: 1 },
  OwnershipConflict: { retry: false, exit: 1 },
  Denied: { retry: false, exit: 1 },
  QuotaExceeded: { retry: false, exit: 1 },
  InvariantViolated: { retry: false, exit: 1 },
  Stuck: { retry: false, exit: 5 },
  CompensationFailed: { retry: false, exit: 5 },
  VerifyFailed: { retry: false, exit: 1 },
  EngineUnavailable: { retry: false, exit: 1 },
  DataDirectoryVersion: { retry: false, exit: 3 },
  PortTaken: { retry: false, exit: 3 },
  NotRunning: { retry: false, exit: 3 },
  Cancelled: { retry: false, exit: 3 },
  Contended: { retry: true, exit: 1 },
  RateLimited: { retry: true, exit: 1 },
  Unavailable: { retry: true, exit: 1 },
  Unclassified: { retry: true, exit: 1 },
} as const satisfies Record<string, FailureRow>;

export type FailureType = keyof typeof FAILURES;

export interface ErrorContext {
  readonly cause?: unknown;
  /** JSON-plain facts for machines: ids and counts, never secrets. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class AdorableError extends Error {
  readonly type: FailureType;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(type: FailureType, message: string, context: ErrorContext = {}) {
    super(message, context.cause === undefined ? undefined : { cause: context.cause });
    this.name = type;
    this.type = type;
    this.details = context.details ?? {};
  }
}

export function isFailureType(value: unknown): value is FailureType {
  return typeof value === 'string' && Object.hasOwn(FAILURES, value);
}

export function isRetryable(type: FailureType): boolean {
  return FAILURES[type].retry;
}

/** The exit code of a failure: an unknown type counts as a plain failure. */
export function exitCodeOf(type: unknown): number {
  return isFailureType(type) ? FAILURES[type].exit : 1;
}
