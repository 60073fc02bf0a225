/**
 * The activity proxies, by store. One retry profile: Temporal is the only retrier, failure types
 * decide what a retry cannot mend, and nothing after a freeze may run out of time, so there is no
 * schedule-to-close. The worker heartbeats for every activity: a killed worker is noticed within
 * the heartbeat time-out, not within start-to-close.
 */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { CodeActivities, DataActivities, InfraActivities, RecordsActivities, RunsActivities, SweepActivities, VerifyActivities } from '../shared/ports.ts';

const profile = {
  startToCloseTimeout: '15 minutes',
  heartbeatTimeout: '8 seconds',
  // A compensation must not overtake the attempt that it undoes.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '200 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
} as const;

export const records = proxyActivities<RecordsActivities>(profile);
export const code = proxyActivities<CodeActivities>(profile);
export const data = proxyActivities<DataActivities>(profile);
export const infra = proxyActivities<InfraActivities>(profile);
export const { verifyMoment, verifyCheckpoint } = proxyActivities<VerifyActivities>(profile);

/** A push is asked for again by whoever pressed the button: it does not outlive its minute. */
export const { pushRun } = proxyActivities<RunsActivities>({ ...profile, scheduleToCloseTimeout: '1 minute' });

/** A sweep gives way: what an outage keeps from it, the next one does, and it must not hold the project meanwhile. */
export const sweeper = proxyActivities<SweepActivities & Pick<DataActivities, 'unpinMoment' | 'deleteFork'> & Pick<CodeActivities, 'dropRun'>>({
  ...profile, scheduleToCloseTimeout: '1 minute',
});
