/**
 * The least that could schedule the same activities: no steps, no search attributes, no details,
 * no messages, no compensations. What restoreProject takes beyond it is its own overhead.
 */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';

export interface BareCall {
  readonly type: string;
  readonly args: readonly unknown[];
}

type Anything = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

/** As in workflows/activities.ts, so that both ask the server for the same. */
const activities = proxyActivities<Anything>({
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '8 seconds',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/** Calls of one group are scheduled together, groups one after the other. */
export async function bareWorkflow(groups: readonly (readonly BareCall[])[]): Promise<number> {
  let calls = 0;
  for (const group of groups) calls += (await Promise.all(group.map(({ type, args }) => activities[type]?.(...args)))).length;
  return calls;
}
