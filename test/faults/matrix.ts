/**
 * What one run of a shape must be like, recorded from an undisturbed one, and what is wrong with a
 * run that had a fault: it has a named outcome, the world is all as before or all as after, and
 * nothing is left that nothing refers to (I2, I9).
 */
import { isDeepStrictEqual } from 'node:util';
import { forkTimelineId } from '../../shared/derive.ts';
import type { Bench } from '../support/bench.ts';
import { nameOf, toBoundaries } from './boundaries.ts';
import type { Boundary } from './boundaries.ts';
import { createInjector, nextProject, seen } from './inject.ts';
import type { Ended, Fault, Injector, Seen } from './inject.ts';
import { FORWARD } from './shapes.ts';
import type { Shape } from './shapes.ts';

const AT_ONCE = 8;

export interface Recorded {
  readonly boundaries: readonly Boundary[];
  readonly before: Seen;
  readonly after: Seen;
}

export interface Matrix {
  readonly inject: Injector;
  /** One undisturbed run: its boundaries, and what the world was and is. */
  record(shape: Shape): Promise<Recorded>;
  /** The boundaries of a bent run that come once it has turned; of any other, all. */
  boundaries(shape: Shape): Promise<readonly Boundary[]>;
  /** Problems of one run, by name; empty when it ended as it must. */
  problems(shape: Shape, ended: Ended): Promise<string[]>;
  /** One run for each boundary, with the fault there. */
  atEach(shape: Shape, fault: Fault): Promise<string[]>;
}

/** By key, as text: what it should be and what it is. */
function differences(expected: Seen, now: Seen): string {
  return Object.keys(expected).filter((key) => !isDeepStrictEqual(expected[key], now[key])).map((key) => `${key} is ${JSON.stringify(now[key])}, not ${JSON.stringify(expected[key])}`).join('; ');
}

/** A generation that migrates and goes back is served from the fork that kept its data: the same rows, on another timeline. */
function withoutFork(now: Seen, { shape, before }: { shape: Shape; before: Seen }): Seen {
  const fork = forkTimelineId((shape.after ?? shape).request(nextProject()).operationId);
  const timelines = now['timelines'] as readonly string[];
  return now['serving'] === fork ? { ...now, serving: before['serving'], timelines: timelines.filter((id) => id !== fork) } : now;
}

export function createMatrix(bench: Bench): Matrix {
  const inject = createInjector(bench);
  const recorded = new Map<string, Promise<Recorded>>();

  function record(shape: Shape): Promise<Recorded> {
    const known = recorded.get(shape.name) ?? (async () => {
      const { world, run } = await inject.undisturbed(shape);
      const straight = FORWARD.find((other) => other.name === shape.straight);
      const after = straight === undefined ? seen(world) : (await record(straight)).after;
      return { boundaries: toBoundaries(await run.activities()), before: seen(shape.world(nextProject())), after };
    })();
    recorded.set(shape.name, known);
    return known;
  }

  async function boundaries(shape: Shape): Promise<readonly Boundary[]> {
    const all = (await record(shape)).boundaries;
    const { bent } = shape;
    return bent === undefined ? all : all.slice(all.findIndex(({ activity, nth }) => activity === bent.activity && nth === bent.nth) + 1);
  }

  async function problems(shape: Shape, { world, outcome }: Ended): Promise<string[]> {
    const { before, after } = await record(shape);
    const found = world.leaks().map((leak) => `leaked ${leak}`);
    const isBack = outcome === null || outcome === 'unchanged';
    const [now, expected] = [isBack && shape.migrates === true ? withoutFork(seen(world), { shape, before }) : seen(world), isBack ? before : after];
    if (!isDeepStrictEqual(now, expected)) found.push(`${outcome ?? 'no outcome'}, but the world is between: ${differences(expected, now)}`);
    return found;
  }

  return {
    inject, record, boundaries, problems,
    async atEach(shape, fault) {
      const wrong: string[] = [];
      const queue = [...(await boundaries(shape))];
      await Promise.all(Array.from({ length: AT_ONCE }, async () => {
        for (let boundary = queue.shift(); boundary !== undefined; boundary = queue.shift()) {
          const name = nameOf(boundary);
          const found = await problems(shape, await inject.at(shape, boundary, fault));
          wrong.push(...found.map((problem) => `${name} ${fault}: ${problem}`));
        }
      }));
      return wrong;
    },
  };
}
