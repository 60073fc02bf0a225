/**
 * Puts one fault at one boundary of a shape, lets the run end, has `recoverProject` finish what was
 * left open, and says what the world is: all as before or all as after, and what leaked (I2, I9).
 */
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowHandle } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { CANCEL_RUN_UPDATE, projectWorkflowId, TASK_QUEUE } from '../../shared/contract/operation.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import { firstTimelineId, tenantIdOf } from '../../shared/derive.ts';
import type { OperationId, ProjectId } from '../../shared/ids.ts';
import type { BoundaryCall, FakeWorld } from '../support/fake-world.ts';
import type { WorkflowBench } from '../support/temporal.ts';
import type { Boundary } from './boundaries.ts';
import { OPERATION } from './shapes.ts';
import type { Shape, Start } from './shapes.ts';

/**
 * `fails`: for good, before its effect · `loses its reply`: for good, after it · `is cancelled`,
 * `is terminated`: while its effect is under way, which lands late, when the run has moved on.
 */
export type Fault = 'fails' | 'loses its reply' | 'is cancelled' | 'is terminated';
/** At every boundary of one run: fails once and is retried, loses its reply once, runs twice. */
export type Everywhere = 'everything fails once' | 'every reply is lost once' | 'everything runs twice';

export interface Ended {
  readonly world: FakeWorld;
  /** What the operation's row says; null when it never got one. */
  readonly outcome: string | null;
  /** The run's own answer, when it gave one. */
  readonly answer: OperationOutcome | undefined;
  readonly workflowId: string;
  readonly runId: string;
}

/** Creating and pinning timelines and making schemas are not fenced (ARCHITECTURE, "The fence"): they land at once or never. */
const NOT_FENCED = new Set(['forkBranch', 'pinMoment', 'unpinMoment', 'ensureTenant', 'ensureAppSchema', 'ensureServiceSchema', 'convergeSchema', 'seedServices', 'claimOperation', 'closeOperation', 'ensureProject']);

/** Far above what a run takes; reached only by one that waits for what never comes. */
const PATIENCE_MS = 12_000;

const broken = (type: string, retryable: boolean): ApplicationFailure => ApplicationFailure.create({ type, message: 'injected', nonRetryable: !retryable });
const failsForGood = (): ApplicationFailure => broken('PreconditionFailed', false);

let counter = 0;
export function nextProject(): ProjectId {
  counter += 1;
  return `p${counter.toString(36).padStart(9, '0')}` as ProjectId;
}

export function createInjector(bench: WorkflowBench) {
  const { client } = bench.environment;

  async function launch(world: FakeWorld, start: Start, projectId: ProjectId): Promise<WorkflowHandle> {
    bench.serve(projectId, world);
    return await client.workflow.start(start.workflow, { workflowId: projectWorkflowId(projectId), taskQueue: TASK_QUEUE, args: [start.request(projectId)] });
  }

  async function settled(handle: WorkflowHandle): Promise<OperationOutcome | undefined> {
    try {
      return (await handle.result()) as OperationOutcome;
    } catch {
      return undefined; // Terminated, or left open: the rows and the world say what became of it.
    }
  }

  /** A run that does not end is ended, and its open row is a finding; `recover` must then end it all the same. */
  async function ended(handle: WorkflowHandle): Promise<OperationOutcome | undefined> {
    const patience = new AbortController();
    const late = sleep(PATIENCE_MS, undefined, { signal: patience.signal }).then(async () => { await handle.terminate('it hangs'); }, () => undefined);
    try {
      return await settled(handle);
    } finally {
      patience.abort();
      await late;
    }
  }

  /** The shape's world, with the run before it abandoned where the shape says. */
  async function prepare(shape: Shape, projectId: ProjectId): Promise<FakeWorld> {
    const world = shape.world();
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
    const handle = await launch(world, after, projectId);
    await reached.promise;
    await handle.terminate('abandoned');
    await settled(handle);
    gone.resolve();
    world.intercept = undefined;
    world.calls.length = 0;
    return world;
  }

  async function finish(shape: Shape, world: FakeWorld, projectId: ProjectId, handle: WorkflowHandle): Promise<Ended> {
    const answer = await ended(handle);
    world.intercept = undefined;
    if ([...world.operations.values()].some((row) => row.outcome === null)) {
      const heir: Start = { workflow: 'recoverProject', request: (id) => ({ projectId: id, operationId: 'op_000000000heir' as OperationId }) };
      await ended(await launch(world, heir, projectId));
    }
    const { operationId } = (shape.after ?? shape).request(projectId);
    return { world, answer, outcome: world.operations.get(operationId)?.outcome ?? null, workflowId: handle.workflowId, runId: (await handle.describe()).runId };
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
      const handle = Promise.withResolvers<WorkflowHandle>();
      let struck = false;
      world.intercept = async (call) => {
        bend(shape, call);
        if (struck || call.name !== boundary.activity || call.nth !== boundary.nth) return await call.effect();
        struck = true;
        if (fault === 'fails') throw failsForGood();
        if (fault === 'loses its reply') { await call.effect(); throw failsForGood(); }
        const landsLate = !NOT_FENCED.has(call.name);
        const reply = landsLate ? undefined : await call.effect();
        const running = await handle.promise;
        if (fault === 'is terminated') {
          if (landsLate) late.push(call.effect);
          await running.terminate('injected');
          return undefined;
        }
        await running.executeUpdate(CANCEL_RUN_UPDATE, { args: [{ operationId: OPERATION, reason: 'injected' }] });
        // Long enough for an unwinding to go by; where the run waits for this activity, it goes on then.
        if (landsLate) await Promise.race([settled(running), sleep(150)]);
        return landsLate ? await call.effect() : reply;
      };
      const started = await launch(world, shape, projectId);
      handle.resolve(started);
      const ended = await finish(shape, world, projectId, started);
      // A zombie's writes: refused by every store that the fence table names, or the same once more.
      for (const effect of late) await effect().catch(() => undefined);
      if (!struck) throw new Error(`${boundary.activity} was never reached`);
      return ended;
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

/** What a person can reach, with the ids that follow from the project's own written alike. */
export function seen(world: FakeWorld, workflowId: string): unknown {
  const projectId = workflowId.slice(projectWorkflowId('' as ProjectId).length) as ProjectId;
  const { exists, position, ...rest } = world.visible();
  // A row that no operation ever claimed holds nothing; where an archived project was, its rows still say.
  const isClaimed = exists && world.operations.size + Object.keys(world.state.checkpoints).length > 0;
  const text = JSON.stringify({ ...rest, exists: isClaimed, position: exists ? position : null }).replaceAll(firstTimelineId(projectId), 'FIRST').replaceAll(tenantIdOf(projectId), 'TENANT');
  return JSON.parse(text);
}
