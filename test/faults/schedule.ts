/**
 * Which run comes next on which platform: cells of shape × fault × boundary, taken by platforms side by
 * side; first what starts where a platform's project stands, since moving it takes as long as a run.
 * A finding spoils the ground that it was found on: what follows happens on a new one.
 */
import { nameOf } from './boundaries.ts';
import type { Boundary } from './boundaries.ts';
import type { Problem } from './check-project.ts';
import { openEngines } from './engines.ts';
import type { Engines } from './engines.ts';
import { openLane } from './lane.ts';
import type { Lane } from './lane.ts';
import { EVERYWHERE, FAULTS } from './real-faults.ts';
import type { RealFault } from './real-faults.ts';
import { SHAPES } from './real-shapes.ts';
import type { RealShape } from './real-shapes.ts';
import type { Result } from './table.ts';
import { writeWhile } from './writer.ts';

/** Undone and redone while two writers write, a fault of another kind at each boundary (I3). */
export const WRITTEN = 'restore undo, written to';
const WRITTEN_FAULTS: readonly RealFault[] = ['kill the worker', 'kill the store', 'terminate', 'fails'];
/** A platform's disk and a project's tree of moments grow with every restore. */
const RUNS_PER_GROUND = 150;

export interface Wanted {
  readonly shapes: readonly RealShape[];
  readonly faults: readonly RealFault[];
  readonly written: boolean;
  /** Activities; left out: all. */
  readonly boundaries?: readonly string[];
  /** Also what one run takes at every boundary, one at a time. */
  readonly each: boolean;
  /** Every nth boundary, other ones for each fault. */
  readonly thin: number;
  readonly platforms: number;
}

interface Cell { readonly shape: RealShape; readonly fault: RealFault; readonly boundary?: Boundary; readonly written?: boolean }

export interface Schedule {
  /** Boundaries by shape, as recorded. */
  readonly boundaries: ReadonlyMap<string, readonly string[]>;
  readonly results: readonly Result[];
  /** Found once, when a ground was left. */
  readonly atTheEnd: readonly Problem[];
  left(): string;
  /** No more runs; those at work end. */
  stop(): void;
  /** Until nothing is left; told of each run when it ended. */
  run(told: (result: Result) => void): Promise<void>;
}

const harness = (error: unknown): Problem => ({ kind: 'harness', what: error instanceof Error ? error.message : String(error) });

export function createSchedule(wanted: Wanted): Schedule {
  const todo = [...wanted.shapes];
  const cells: Cell[] = [];
  const boundaries = new Map<string, readonly string[]>();
  const results: Result[] = [];
  const atTheEnd: Problem[] = [];
  let writing = wanted.written;
  let stopped = false;

  async function enumerate(lane: Lane, shape: RealShape): Promise<void> {
    const recorded = (await lane.record(shape)).boundaries.filter(({ activity }) => wanted.boundaries === undefined || wanted.boundaries.includes(activity));
    boundaries.set(shape.name, recorded.map(nameOf));
    for (const fault of wanted.faults) {
      if (EVERYWHERE.has(fault) && !wanted.each && wanted.boundaries === undefined) cells.push({ shape, fault });
      else cells.push(...recorded.filter((_, index) => (index + FAULTS.indexOf(fault)) % wanted.thin === 0).map((boundary) => ({ shape, fault, boundary })));
    }
  }

  async function enumerateWritten(lane: Lane): Promise<void> {
    const shape = SHAPES.find((one) => WRITTEN.startsWith(`${one.name},`)) as RealShape;
    const faults = WRITTEN_FAULTS.filter((fault) => wanted.faults.includes(fault));
    const recorded = (await lane.record(shape)).boundaries;
    boundaries.set(WRITTEN, recorded.map(nameOf));
    cells.push(...recorded.flatMap((boundary, index): Cell[] => {
      const fault = faults[index % faults.length];
      return fault === undefined || index % wanted.thin > 0 ? [] : [{ shape, fault, boundary, written: true }];
    }));
  }

  async function next(lane: Lane): Promise<Cell | undefined> {
    while (!stopped) {
      const here = cells.findIndex((cell) => lane.isAt(cell.shape));
      if (here >= 0) return cells.splice(here, 1)[0];
      const shape = todo.splice(Math.max(0, todo.findIndex((one) => lane.isAt(one))), 1)[0];
      if (shape !== undefined) { await enumerate(lane, shape); continue; }
      if (cells.length > 0 || !writing) return cells.shift();
      writing = false;
      await enumerateWritten(lane);
    }
    return undefined;
  }

  async function put(lane: Lane, { shape, fault, boundary, written }: Cell): Promise<Result> {
    const what = { fault, ...(boundary === undefined ? {} : { boundary }) };
    const from = Date.now();
    try {
      if (written !== true || boundary === undefined) return await lane.run(shape, what);
      await lane.record(shape);
      return { shape: WRITTEN, fault, boundary: nameOf(boundary), ...(await writeWhile(lane, what)), ms: Date.now() - from };
    } catch (error) {
      return { shape: written === true ? WRITTEN : shape.name, fault, ...(boundary === undefined ? {} : { boundary: nameOf(boundary) }), outcome: 'unknown', ms: Date.now() - from, problems: [harness(error)] };
    }
  }

  async function one(lane: Lane): Promise<Result | undefined> {
    try {
      const cell = await next(lane);
      return cell === undefined ? undefined : await put(lane, cell);
    } catch (error) {
      // A shape that cannot even be recorded is a finding of its own.
      return { shape: 'undisturbed', fault: 'none', outcome: 'unknown', ms: 0, problems: [harness(error)] };
    }
  }

  /** Until it is spoilt, worn or there is nothing left to do; true when there may be more. */
  async function onOneGround(engines: Engines, told: (result: Result) => void): Promise<boolean> {
    const lane = await openLane(engines);
    try {
      for (let runs = 0; runs < RUNS_PER_GROUND; runs += 1) {
        const result = await one(lane);
        if (result === undefined) return false;
        results.push(result);
        told(result);
        if (result.problems.length > 0) return true;
      }
      return true;
    } finally {
      atTheEnd.push(...await lane.finish().catch((error: unknown) => [harness(error)]));
      await lane.close();
    }
  }

  return {
    boundaries, results, atTheEnd,
    left: () => `${String(cells.length)}${todo.length > 0 ? ` and ${String(todo.length)} shapes` : ''}`,
    stop() { stopped = true; },
    async run(told) {
      await Promise.all(Array.from({ length: wanted.platforms }, async () => {
        const engines = await openEngines();
        try {
          while (await onOneGround(engines, told));
        } finally {
          await engines.close();
        }
      }));
    },
  };
}
