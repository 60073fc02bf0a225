/** What a long activity says of itself is its heartbeat, and the heartbeats in between do not forget it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { activityInterceptors, reportProgress } from '../../../workers/heartbeat-interceptor.ts';

test('heartbeats repeat what was said last, each activity its own', async () => {
  const beats: unknown[][] = [[], []];
  await Promise.all([0, 1].map(async (n) => {
    const environment = new MockActivityEnvironment();
    environment.on('heartbeat', (details: unknown) => { beats[n]?.push(details); });
    await environment.run(async () => {
      const { inbound } = activityInterceptors();
      await inbound?.execute?.({ args: [], headers: {} }, async () => {
        if (n === 0) reportProgress({ doing: 'write src/app.tsx', tokens: 300 });
        await sleep(2_500);
      });
    });
  }));
  expect(beats).toEqual([[undefined, { doing: 'write src/app.tsx', tokens: 300 }], [undefined, undefined]]);
});
