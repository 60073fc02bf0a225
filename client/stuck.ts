/**
 * When an operation counts as stuck: an activity of it has been failing for a while, or has not
 * answered for much longer. Only a report: the run stays open and keeps trying.
 */
import type { Stuck } from '../shared/contract/operation.ts';

export interface PendingActivity {
  readonly activity: string;
  readonly attempt: number;
  /** When it was scheduled first. */
  readonly since?: string;
  readonly lastFailure?: string;
}

export const STUCK_AFTER_MS = 60_000;
/** A first attempt may be at work on something large; silence alone counts later than failure. */
const SILENCE = 5;

/** The one that has been in the way longest. */
export function stuckOf(pending: readonly PendingActivity[], now: number, afterMs = STUCK_AFTER_MS): Stuck | undefined {
  const late = pending.flatMap(({ activity, attempt, since, lastFailure }) => {
    if (since === undefined) return [];
    const limit = attempt > 1 ? afterMs : afterMs * SILENCE;
    return now - Date.parse(since) >= limit ? [{ activity, since, attempt, ...(lastFailure === undefined ? {} : { lastFailure }) }] : [];
  });
  return late.sort((a, b) => a.since.localeCompare(b.since))[0];
}

export function stuckText({ activity, since, attempt, lastFailure }: Stuck): string {
  return `${activity} since ${since}, attempt ${String(attempt)}: ${lastFailure ?? 'it has not answered'}`;
}
