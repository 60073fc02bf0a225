/**
 * What a preview says of the data: rows that differ, and transactions that are open now or were at
 * the target. A database that does not answer, or a table that is locked, leaves the count out and
 * is named: it must not keep anybody from restoring.
 */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { RecordedMoment } from '../../shared/moment.ts';
import { openNow, openThen } from '../../shared/restore/open-transactions.ts';
import type { Names } from '../../shared/restore/open-transactions.ts';
import type { RowChange } from '../../shared/restore/plan.ts';
import type { RestorePlanDeps } from './restore-plan.ts';

export interface Foreseen {
  readonly rows?: readonly RowChange[];
  readonly noticed: readonly string[];
}

interface Input {
  readonly projectId: ProjectId;
  /** Null when the data stays. */
  readonly target: RecordedMoment | null;
  readonly names: Names;
  /** Why the database could not be asked a moment ago. */
  readonly away: string | undefined;
}

export async function foresee(deps: Pick<RestorePlanDeps, 'rowChanges' | 'openTransactions'>, { projectId, target, names, away }: Input): Promise<Foreseen> {
  if (away !== undefined) return { noticed: [notCounted(away)] };
  try {
    const now = openNow(await deps.openTransactions(projectId), names);
    if (target === null) return { noticed: now };
    return await deps.rowChanges(projectId, target, names).then(
      ({ rows, prepared }) => ({ rows, noticed: [...now, ...openThen(prepared, names)] }),
      (error: unknown) => {
        if (!isAway(error)) throw error;
        return { noticed: [...now, notCounted(error.message)] };
      },
    );
  } catch (error) {
    if (!isAway(error)) throw error;
    return { noticed: [notCounted(error.message)] };
  }
}

/** Down, hanging, deleted, or behind a lock that nobody gives back. */
export function isAway(error: unknown): error is AdorableError {
  return error instanceof AdorableError && ['Unavailable', 'PreconditionFailed', 'Contended'].includes(error.type);
}

function notCounted(why: string): string {
  return `the database cannot be asked, so rows are not counted: ${why}`;
}
