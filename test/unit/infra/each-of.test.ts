/** Work over items, a few at a time. */
import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { eachOf } from '../../../activities/infra/each-of.ts';

const items = Array.from({ length: 40 }, (_, index) => index);

test('every item once, never more than eight at a time', async () => {
  const done: number[] = [];
  let [now, most] = [0, 0];
  await eachOf(items, async (item) => {
    most = Math.max(most, now += 1);
    await sleep(1);
    now -= 1;
    done.push(item);
  });
  expect(done.toSorted((a, b) => a - b)).toEqual(items);
  expect(most).toBe(8);
});

test('after a failure nothing is begun, and it is told when all that was begun has ended', async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  await expect(eachOf(items, async (item) => {
    begun.push(item);
    await sleep(item === 3 ? 1 : 20);
    ended.push(item);
    if (item === 3) throw new Error('third');
  })).rejects.toThrow('third');
  expect(begun).toEqual(items.slice(0, 8));
  expect(ended.toSorted((a, b) => a - b)).toEqual(begun);
});
