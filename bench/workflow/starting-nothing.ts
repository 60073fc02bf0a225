/** Deployments stay at 0, where the converge put them: an interceptor that answers in `startTiers`' place. */
import { activityInfo } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { TierResult } from '../../shared/ports.ts';

export const startingNothing: ActivityInterceptorsFactory = () => ({
  inbound: {
    execute: async (input, next) => (activityInfo().activityType === 'startTiers' ? { healthy: [], degraded: [] } satisfies TierResult : await next(input)),
  },
});
