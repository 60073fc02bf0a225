/**
 * Puts one fault at one boundary of a shape, lets the run end, has `recoverProject` finish what was
 * left open, and says what the world is: all as before or all as after, and what leaked (I2, I9).
 */
import { ApplicationFailure } from '@temporalio/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import { firstTimelineId, tenantIdOf } from '../../shared/derive.ts';
import type { OperationId, ProjectId } from '../../shared/ids.ts';
import { NeverEnds, WorkerDied } from '../support/bench.ts';
import type { Bench, BenchRun } from '../support/bench.ts';
import type { BoundaryCall, FakeWorld } from '../support/fake-world.ts';
import type { Boundary } from './boundaries.ts';
import type { Shape, Start } from './shapes.ts';

/**
 * `fails`: for good, before its effect · `loses its reply`: for good, after it · `runs twice` ·
 * `loses its worker`: it never answers, another attempt does, and then the first one's effect lands ·
 * `is cancelled`, `is terminated`: while its effect is under way, which lands late, when the run has moved on.
 */
export const FAULTS = ['fails', 'loses its reply', 'runs twice', 'loses its worker', 'is cancelled', 'is terminated'] as const;
export type Fault = (typeof FAULTS)[number];
/** At every boundary of one run: fails once and is retried, loses its reply once, runs twice. */
export const EVERYWHERE = ['everything fails once', 'every reply is lost once', 'everything runs twice'] as const;
export type Everywhere = (typeof EVERYWHERE)[number];

export interface Ended {
  readonly world: FakeWorld;
  /** What the operation's row says; null when it never got one. */
  readonly outcome: string | null;
  /** The run's own answer, when it gave one. */
  readonly answer: OperationOutcome | undefined;
  readonly run: BenchRun;
}

/** Creating and pinning timelines and seeding services are not fenced (ARCHITECTURE, "The fence"): they land at once or never. */
const NOT_FENCED = new Set(['forkBranch', 'pinMoment', 'unpinMoment', 'ensureTenant', 'seedServices', 'claimOperation', 'closeOperation', 'ensureProject']);

/** Far above what a run takes; reached only by one that waits for what never comes. */
const PATIENCE_MS = 12_000;

const broken = (type: string, retryable: boolean): ApplicationFailure => ApplicationFailure.create({ type, message: 'injected', nonRetryable: !retryable });
const failsForGood = (): ApplicationFailure => broken('PreconditionFailed', false);

let counter = 0;
export function nextProject(): ProjectId {
  counter += 1;
  return `p${counter.toString(36).padStart(9, '0')}` as ProjectId;
}

export function createInjector(bench: Bench) {
  async function launch(world: FakeWorld, start: Start, projectId: ProjectId): Promise<BenchRun> {
    bench.serve(projectId, world);
    return await bench.start(start.workflow, start.request(projectId));
  }

  async function settled(run: BenchRun): Promise<OperationOutcome | undefined> {
    try {
      return (await run.result()) as OperationOutcome;
    } catch (error) {
      if (error instanceof NeverEnds) throw error;
      return undefined; // Terminated, or left open: the rows and the world say what became of it.
    }
  }

  /** A run that does not end is ended, and is a finding. */
  async function ended(run: BenchRun): Promise<OperationOutcome | undefined> {
    const patience = new AbortController();
    let isLate = false;
    const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).then(() => { isLate = true; return run.terminate(); }, () => undefined);
    try {
      const outcome = await settled(run);
      if (isLate) throw new NeverEnds(`${run.workflowId} did not end`);
      return outcome;
    } finally {
      patience.abort();
      await late;
    }
  }

  /** The shape's world, with the run before it abandoned where the shape says. */
  async function prepare(shape: Shape, projectId: ProjectId): Promise<FakeWorld> {
    const world = shape.world(projectId);
    const { after } = shape;
    if (after === undefined) return world;
    const reached = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<void>();
    world.intercept = async (call) => {
      if (call.name !== after.at) return await call.effect();
      reached.resolve();
      // Without its effect, and only once nobody waits: a worker shuts down when its activities have ended.
      await gone.promise;
      return undefined;
    };
    const run = await launch(world, after, projectId);
    await reached.promise;
    await run.terminate();
    await settled(run);
    gone.resolve();
    world.intercept = undefined;
    world.forgetCalls();
    return world;
  }

  async function finish(shape: Shape, world: FakeWorld, projectId: ProjectId, run: BenchRun): Promise<Ended> {
    const answer = await ended(run);
    world.intercept = undefined;
    if ([...world.operations.values()].some((row) => row.outcome === null)) {
      const heir: Start = { workflow: 'recoverProject', request: (id) => ({ projectId: id, operationId: 'op_000000000heir' as OperationId }) };
      await ended(await launch(world, heir, projectId));
    }
    const { operationId } = (shape.after ?? shape).request(projectId);
    return { world, answer, outcome: world.operations.get(operationId)?.outcome ?? null, run };
  }

  const bend = (shape: Shape, call: BoundaryCall): void => {
    if (shape.bent?.activity === call.name && shape.bent.nth === call.nth) throw failsForGood();
  };

  return {
    async undisturbed(shape: Shape): Promise<Ended> {
      const projectId = nextProject();
      const world = await prepare(shape, projectId);
      world.intercept = async (call) => { bend(shape, call); return await call.effect(); };
      return await finish(shape, world, projectId, await launch(world, shape, projectId));
    },

    async at(shape: Shape, boundary: Boundary, fault: Fault): Promise<Ended> {
      const projectId = nextProject();
      const world = await prepare(shape, projectId);
      const late: (() => Promise<unknown>)[] = [];
      const started = Promise.withResolvers<BenchRun>();
      let struck = false;
      let dead: BoundaryCall | undefined;
      world.intercept = async (call) => {
        bend(shape, call);
        if (dead !== undefined && call.name === dead.name) {
          const reply = await call.effect();
          await dead.effect();
          dead = undefined;
          return reply;
        }
        if (struck && fault === 'is terminated') {
          // What the dead run and its children still had under way beside it: it lands late too, fenced or not.
          late.push(call.effect);
          return undefined;
        }
        if (struck || call.name !== boundary.activity || call.nth !== boundary.nth) return await call.effect();
        struck = true;
        if (fault === 'fails') throw failsForGood();
        if (fault === 'loses its reply') { await call.effect(); throw failsForGood(); }
        if (fault === 'runs twice') { await call.effect(); return await call.effect(); }
        if (fault === 'loses its worker') { dead = call; throw new WorkerDied('killed'); }
        const landsLate = !NOT_FENCED.has(call.name);
        const reply = landsLate ? undefined : await call.effect();
        const run = await started.promise;
        if (fault === 'is terminated') {
          if (landsLate) late.push(call.effect);
          await run.terminate();
          return undefined;
        }
        await run.cancel('injected');
        if (!landsLate) return reply;
        await run.quiet();
        return await call.effect();
      };
      const run = await launch(world, shape, projectId);
      started.resolve(run);
      const end = await finish(shape, world, projectId, run);
      // A zombie's writes: refused by every store that the fence table names, or the same once more.
      for (const effect of late) await effect().catch(() => undefined);
      if (!struck) throw new Error(`${boundary.activity} was never reached`);
      return end;
    },

    async everywhere(shape: Shape, fault: Everywhere): Promise<Ended> {
      const projectId = nextProject();
      const world = await prepare(shape, projectId);
      const struck = new Set<string>();
      const calls = new Map<string, number>();
      world.intercept = async (call) => {
        // A boundary that failed is called again right away: the odd calls of a name are struck, the even ones are its retries.
        const odd = !struck.has(call.name);
        const nth = (calls.get(call.name) ?? 0) + (odd || fault === 'everything runs twice' ? 1 : 0);
        calls.set(call.name, nth);
        bend(shape, { ...call, nth });
        if (fault === 'everything runs twice') { await call.effect(); return await call.effect(); }
        if (!odd) { struck.delete(call.name); return await call.effect(); }
        struck.add(call.name);
        if (fault === 'every reply is lost once') await call.effect();
        throw broken('Unavailable', true);
      };
      return await finish(shape, world, projectId, await launch(world, shape, projectId));
    },
  };
}

export type Injector = ReturnType<typeof createInjector>;

export type Seen = Readonly<Record<string, unknown>>;

/** What a person can reach, with the ids that follow from the project's own written alike. */
export function seen(world: FakeWorld): Seen {
  const { projectId } = world;
  const { exists, position, ...rest } = world.visible();
  // A row that no operation ever claimed holds nothing; where an archived project was, its rows still say.
  const isClaimed = exists && world.operations.size + Object.keys(world.state.checkpoints).length > 0;
  const text = JSON.stringify({ ...rest, exists: isClaimed, position: exists ? position : null }).replaceAll(firstTimelineId(projectId), 'FIRST').replaceAll(tenantIdOf(projectId), 'TENANT');
  return JSON.parse(text) as Seen;
}

