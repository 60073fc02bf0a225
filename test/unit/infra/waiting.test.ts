/** Polls that wait for pods: close at first, rare once it takes long, over when they must be. */
import { expect, test } from '@jest/globals';
import { NO_CONTEXT, SOON_MS, waitFor } from '../../../activities/infra/waiting.ts';

test('what takes long is asked for ever less often', async () => {
  const asked: number[] = [];
  expect(await waitFor(NO_CONTEXT, 1_500, () => { asked.push(performance.now()); return Promise.resolve(undefined); }, SOON_MS)).toBeUndefined();
  const [first = 0] = asked;
  // 10 ms apart for the first 200, a twentieth of what has passed from then on: 20 + 20 × ln(1500 / 200) looks, where 10 ms throughout are 150.
  expect(asked.length).toBeLessThan(65);
  const late = asked.findIndex((at) => at - first > 1_000);
  expect((asked[late + 1] ?? Infinity) - (asked[late] ?? 0)).toBeGreaterThan(40);
});

test('the limit passes: asked a last time, then undefined', async () => {
  let asked = 0;
  const began = performance.now();
  expect(await waitFor(NO_CONTEXT, 60, () => { asked += 1; return Promise.resolve(undefined); }, 1_000)).toBeUndefined();
  expect(asked).toBe(2);
  expect(performance.now() - began).toBeGreaterThan(55);
});
