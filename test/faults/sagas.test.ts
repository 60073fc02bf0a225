/**
 * Every saga with every fault at every boundary of its recorded history, one run each, over fakes
 * with a visible world; compensations and recoveries included. Nothing is left out.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Bench } from '../support/bench.ts';
import { openInProcessBench } from '../support/in-process.ts';
import { EVERYWHERE, FAULTS } from './inject.ts';
import { createMatrix } from './matrix.ts';
import type { Matrix } from './matrix.ts';
import { BENT, FORWARD, RECOVERIES } from './shapes.ts';

let bench: Bench;
let matrix: Matrix;

beforeAll(async () => {
  bench = await openInProcessBench();
  matrix = createMatrix(bench);
});
afterAll(async () => { await bench.close(); });

describe.each(FORWARD)('$name', (shape) => {
  test(`undisturbed: ${shape.outcome}`, async () => {
    const { answer, world } = await matrix.inject.undisturbed(shape);
    expect(answer?.outcome).toBe(shape.outcome);
    expect(world.leaks()).toEqual([]);
  });

  test.each(EVERYWHERE)('%s: the same end', async (fault) => {
    const ended = await matrix.inject.everywhere(shape, fault);
    expect(ended.answer?.outcome).toBe(shape.outcome);
    expect(await matrix.problems(shape, ended)).toEqual([]);
  });

  test.each(FAULTS)('each boundary %s', async (fault) => {
    expect(await matrix.atEach(shape, fault)).toEqual([]);
  });
});

describe.each(BENT)('$name', (shape) => {
  test('undisturbed: unchanged, the world as before', async () => {
    const ended = await matrix.inject.undisturbed(shape);
    expect(ended.answer?.outcome).toBe('unchanged');
    expect(await matrix.problems(shape, ended)).toEqual([]);
  });

  test.each(EVERYWHERE)('%s on the way back too: the same end', async (fault) => {
    expect(await matrix.problems(shape, await matrix.inject.everywhere(shape, fault))).toEqual([]);
  });

  test.each(FAULTS)('each boundary on the way back %s', async (fault) => {
    expect(await matrix.atEach(shape, fault)).toEqual([]);
  });
});

describe.each(RECOVERIES)('$name', (shape) => {
  test.each(EVERYWHERE)('%s: the same end', async (fault) => {
    const ended = await matrix.inject.everywhere(shape, fault);
    expect(ended.answer?.outcome).toBe('recovered');
    expect(await matrix.problems(shape, ended)).toEqual([]);
  });

  test.each(FAULTS)('each boundary %s: the next `recover` finishes it', async (fault) => {
    expect(await matrix.atEach(shape, fault)).toEqual([]);
  });
});
