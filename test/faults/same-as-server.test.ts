/**
 * The in-process bench is held to a real Temporal server: every shape undisturbed, and
 * faults at some boundaries of each, by turns, go through the same activities to the same outcome and world.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openInProcessBench } from '../support/in-process.ts';
import type { Bench } from '../support/bench.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import { nameOf, toBoundaries } from './boundaries.ts';
import type { Boundary } from './boundaries.ts';
import { createInjector, FAULTS, seen } from './inject.ts';
import type { Ended, Fault } from './inject.ts';
import { BENT, FORWARD, RECOVERIES } from './shapes.ts';
import type { Shape } from './shapes.ts';

const SHAPES = [...FORWARD, ...BENT, ...RECOVERIES];
let benches: readonly [Bench, Bench];
beforeAll(async () => { benches = [await openInProcessBench(), await openWorkflowBench()]; });
afterAll(async () => { for (const bench of benches) await bench.close(); });

async function ending({ outcome, answer, world, run }: Ended) {
  const { failure } = answer ?? {};
  return { outcome, answer: answer?.outcome, failure, world: seen(world), activities: await run.activities() };
}

interface Sample {
  readonly boundary: Boundary;
  readonly fault: Fault;
}

/** Three faults for each shape, by turns and spread over its boundaries, so that the shapes together see all of them. */
function samples(index: number, boundaries: readonly Boundary[]): Sample[] {
  return [0, 1, 2].flatMap((nth) => {
    const boundary = boundaries[(index * 5 + nth * 7) % boundaries.length];
    const fault = FAULTS[(index + nth * 2) % FAULTS.length];
    return boundary === undefined || fault === undefined ? [] : [{ boundary, fault }];
  });
}

describe.each(SHAPES.map((shape, index) => [shape.name, shape, index] as const))('%s', (_name, shape: Shape, index) => {
  test('ends in process as it ends on a server', async () => {
    const [here, there] = [createInjector(benches[0]), createInjector(benches[1])];
    const undisturbed = await here.undisturbed(shape);
    expect(await ending(undisturbed)).toEqual(await ending(await there.undisturbed(shape)));
    const boundaries = toBoundaries(await undisturbed.run.activities());
    const turned = shape.bent === undefined ? boundaries : boundaries.slice(boundaries.findIndex(({ activity, nth }) => activity === shape.bent?.activity && nth === shape.bent.nth) + 1);
    await Promise.all(samples(index, turned).map(async ({ boundary, fault }) => {
      const [mine, real] = await Promise.all([here, there].map(async (inject) => ending(await inject.at(shape, boundary, fault))));
      expect({ at: `${nameOf(boundary)} ${fault}`, ...mine }).toEqual({ at: `${nameOf(boundary)} ${fault}`, ...real });
    }));
  });
});
