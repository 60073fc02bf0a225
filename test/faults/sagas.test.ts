/**
 * Every saga with every fault at every boundary of its recorded history, over fakes with a visible
 * world: whatever happens, the operation has a named outcome, the world is all as before or all as
 * after, and no fork, pin, intent, run ref or open operation is left (I2, I9).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openWorkflowBench } from '../support/temporal.ts';
import type { WorkflowBench } from '../support/temporal.ts';
import { boundariesOf, nameOf } from './boundaries.ts';
import type { Boundary } from './boundaries.ts';
import { createInjector, seen } from './inject.ts';
import type { Ended, Everywhere, Fault, Injector } from './inject.ts';
import { BENT, FORWARD, RECOVERIES } from './shapes.ts';
import type { Shape } from './shapes.ts';

const AT_ONCE = 8;
/** With ADORABLE_TEST_FAULTS set nothing is left out; else what shapes.ts says. */
const FULL = process.env['ADORABLE_TEST_FAULTS'] !== undefined;
let bench: WorkflowBench;
let inject: Injector;
const recorded = new Map<string, Promise<Recorded>>();

interface Recorded {
  readonly boundaries: readonly Boundary[];
  readonly before: unknown;
  readonly after: unknown;
}

beforeAll(async () => {
  bench = await openWorkflowBench();
  inject = createInjector(bench);
});
afterAll(async () => { await bench.close(); });

/** One undisturbed run: its boundaries, and what the world was and is. */
function record(shape: Shape): Promise<Recorded> {
  const known = recorded.get(shape.name) ?? (async () => {
    const { world, workflowId, runId } = await inject.undisturbed(shape);
    const boundaries = await boundariesOf(bench.environment.client, workflowId, runId);
    const straight = FORWARD.find((other) => other.name === shape.straight);
    return { boundaries, before: seen(shape.world(), workflowId), after: straight === undefined ? seen(world, workflowId) : (await record(straight)).after };
  })();
  recorded.set(shape.name, known);
  return known;
}

/** Problems of one run, by name; empty when it ended as it must. */
function problems({ world, outcome, workflowId }: Ended, { before, after }: Recorded): string[] {
  const found = world.leaks().map((leak) => `leaked ${leak}`);
  const expected = outcome === null || outcome === 'unchanged' ? before : after;
  try {
    expect(seen(world, workflowId)).toEqual(expected);
  } catch (error) {
    found.push(`${outcome ?? 'no outcome'}, but the world is between: ${(error as Error).message.split('\n').filter((line) => /^\s*[-+] /.test(line.replaceAll(/\u001b\[\d+m/g, ''))).join(' ').replaceAll(/\u001b\[\d+m/g, '')}`);
  }
  return found;
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  }));
}

async function atEach(shape: Shape, fault: Fault, boundaries: readonly Boundary[]): Promise<void> {
  const known = await record(shape);
  const wrong: string[] = [];
  await each(boundaries, async (boundary) => {
    const ended = await inject.at(shape, boundary, fault);
    wrong.push(...problems(ended, known).map((problem) => `${nameOf(boundary)} ${fault}: ${problem}`));
  });
  expect(wrong).toEqual([]);
}

/** A bent run's own part: what it does once it has turned. */
async function afterTheBend(shape: Shape): Promise<readonly Boundary[]> {
  const { boundaries } = await record(shape);
  const { bent } = shape;
  return bent === undefined ? boundaries : boundaries.slice(boundaries.findIndex(({ activity, nth }) => activity === bent.activity && nth === bent.nth) + 1);
}

const FAULTS: readonly Fault[] = ['fails', 'loses its reply', 'is cancelled', 'is terminated'];
const EVERYWHERE: readonly Everywhere[] = ['everything fails once', 'every reply is lost once', 'everything runs twice'];

describe.each(FORWARD)('$name', (shape) => {
  test(`undisturbed: ${shape.outcome}`, async () => {
    const { answer, world } = await inject.undisturbed(shape);
    expect(answer?.outcome).toBe(shape.outcome);
    expect(world.leaks()).toEqual([]);
  });

  test.each(EVERYWHERE)('%s: the same end', async (fault) => {
    const known = await record(shape);
    const ended = await inject.everywhere(shape, fault);
    expect(ended.answer?.outcome).toBe(shape.outcome);
    expect(problems(ended, known)).toEqual([]);
  });

  if (!FULL && shape.faults?.length === 0) return;
  test.each(FAULTS)('each boundary %s', async (fault) => {
    await atEach(shape, fault, (await record(shape)).boundaries);
  }, 400_000);
});

describe.each(BENT)('$name', (shape) => {
  test('undisturbed: unchanged, the world as before', async () => {
    const ended = await inject.undisturbed(shape);
    expect(ended.answer?.outcome).toBe('unchanged');
    expect(problems(ended, await record(shape))).toEqual([]);
  });

  test.each(EVERYWHERE)('%s on the way back too: the same end', async (fault) => {
    const ended = await inject.everywhere(shape, fault);
    expect(problems(ended, await record(shape))).toEqual([]);
  });

  if (!FULL && shape.faults?.length === 0) return;
  test.each(['fails', 'is terminated'] as const)('each boundary on the way back %s', async (fault) => {
    await atEach(shape, fault, await afterTheBend(shape));
  }, 400_000);
});

describe.each(RECOVERIES)('$name', (shape) => {
  test.each(EVERYWHERE)('%s: the same end', async (fault) => {
    const ended = await inject.everywhere(shape, fault);
    expect(ended.answer?.outcome).toBe('recovered');
    expect(problems(ended, await record(shape))).toEqual([]);
  });

  if (!FULL) return;
  test.each(['fails', 'is terminated'] as const)('each boundary %s: the next `recover` finishes it', async (fault) => {
    await atEach(shape, fault, (await record(shape)).boundaries);
  }, 400_000);
});
