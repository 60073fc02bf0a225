/**
 * A sample of `npm run test:faults`: restores on the real engines, each with one fault, then rows
 * written through the API and by SQL while the worker is killed (I1, I2, I3, I7, I8, I9).
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openEngines } from '../faults/engines.ts';
import type { Engines } from '../faults/engines.ts';
import { openLane } from '../faults/lane.ts';
import type { Lane } from '../faults/lane.ts';
import type { RealFault } from '../faults/real-faults.ts';
import { SHAPES } from '../faults/real-shapes.ts';
import { writeWhile } from '../faults/writer.ts';

let engines: Engines;
let lane: Lane;

beforeAll(async () => {
  engines = await openEngines();
  lane = await openLane(engines);
}, 900_000);

afterAll(async () => {
  await lane.close();
  await engines.close();
}, 60_000);

const EVERY = 'every boundary';
const SAMPLE: readonly (readonly [RealFault, string, string, string])[] = [
  ['fails', 'verifyMoment', 'restore undo', 'unchanged'],
  ['terminate', 'freeze', 'restore undo', 'unchanged by recover'],
  ['kill the store', 'startCompute', 'restore undo', 'restored'],
  ['runs twice', EVERY, 'restore redo', 'restored'],
  ['terminate', 'convergeInfra', 'restore undo', 'restored by recover'],
];

test.each(SAMPLE)('%s at %s in %s: %s', async (fault, activity, name, outcome) => {
  const shape = SHAPES.find((one) => one.name === name);
  if (shape === undefined) throw new Error(`there is no shape ${name}`);
  const result = await lane.run(shape, { fault, ...(activity === EVERY ? {} : { boundary: { activity, nth: 1 } }) });
  expect(result.problems).toEqual([]);
  expect(result.missed).toBeUndefined();
  expect(result.outcome).toBe(outcome);
}, 240_000);

test('rows written all the while, the worker killed in the middle: every acknowledged one is kept, none twice', async () => {
  expect(await writeWhile(lane, { fault: 'kill the worker', boundary: { activity: 'stopCompute', nth: 1 } })).toEqual({ outcome: 'restored', problems: [] });
}, 240_000);

test('no secret stands in a log, a row or a commit, and nothing is left of a project that is deleted', async () => {
  expect(await lane.finish()).toEqual([]);
}, 60_000);
