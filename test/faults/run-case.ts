/**
 * One run of one shape with one fault, to its end: the run's own, or that of the `recover` which
 * finishes what was left open. Then the world is read and compared with the two moments that the
 * shape lies between: all of the one or all of the other (I2), whatever the run itself says.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { newOperationId } from '../../client/runtime.ts';
import { projectWorkflowId } from '../../shared/contract/operation.ts';
import type { OperationId, ProjectId } from '../../shared/ids.ts';
import type { Boundary } from './boundaries.ts';
import { torn } from './check-project.ts';
import type { Problem } from './check-project.ts';
import { until } from './engines.ts';
import type { Engines } from './engines.ts';
import { EVERYWHERE, strike } from './real-faults.ts';
import type { RealFault } from './real-faults.ts';
import type { Call, Steer } from './steered-worker.ts';

/** Far above what any run takes, outages included: one that needs longer waits for what never comes. */
const PATIENCE_MS = 150_000;

export interface Put {
  readonly fault: RealFault;
  /** Left out: at every boundary of the run. */
  readonly boundary?: Boundary;
}

export interface Operation {
  readonly workflow: string;
  readonly projectId: ProjectId;
  readonly request: object;
}

export interface Bent {
  /** The boundary that fails for good, so that the run turns back there. */
  readonly bent?: Boundary;
  /** Milliseconds per boundary, by name, of the undisturbed run. */
  readonly took?: ReadonlyMap<string, number>;
}

export interface Ended {
  readonly operation: Operation;
  readonly operationId: OperationId;
  /** Of the operation's row; null when it never got one. */
  readonly outcome: string | null;
  readonly recovered: boolean;
  /** Runs whose histories were made. */
  readonly runs: readonly { readonly workflowId: string; readonly runId: string }[];
  readonly took: ReadonlyMap<string, number>;
  readonly problems: readonly Problem[];
  /** Why the fault could not be put. */
  readonly missed?: string;
}

const keyOf = ({ activity, nth }: Boundary): string => `${activity} ${String(nth)}`;
const isAt = (call: Boundary, boundary: Boundary | undefined): boolean => boundary?.activity === call.activity && boundary.nth === call.nth;

export async function runCase(engines: Engines, operation: Operation, { bent, took = new Map() }: Bent, put?: Put): Promise<Ended> {
  const { projectId } = operation;
  const operationId = newOperationId();
  const run = Promise.withResolvers<WorkflowHandle>();
  const recovered = Promise.withResolvers<void>();
  const measured = new Map<string, number>();
  const struck = new Set<string>();
  const problems: Problem[] = [];
  let missed: string | undefined;
  let strikes: Promise<void> = Promise.resolve();

  const steer: Steer = async (call) => {
    const key = keyOf(call);
    if (isAt(call, bent) && call.attempt === 1) { call.fail('PreconditionFailed', false); return; }
    const isHere = put !== undefined && (put.boundary === undefined ? EVERYWHERE.has(put.fault) : isAt(call, put.boundary));
    if (!isHere || struck.has(key)) {
      if (put === undefined) await measure(call, measured);
      else call.pass();
      return;
    }
    struck.add(key);
    const done = strike(put.fault, call, { worker: engines.worker, run: run.promise, operationId, tookMs: took.get(key) ?? 0, recovered: recovered.promise, kill: engines.platform.kill })
      .then((why) => { missed ??= why; }, (error: unknown) => { problems.push({ kind: 'harness', what: `${key}: ${error instanceof Error ? error.message : String(error)}` }); });
    strikes = Promise.all([strikes, done]).then(() => undefined);
    await done;
  };
  engines.worker.steer(steer);

  const handle = await until('a start', () => start(engines, operation.workflow, { projectId, operationId, ...operation.request }));
  run.resolve(handle);
  const runs = [await runOf(handle)];
  if (!(await closed(handle))) problems.push(torn('it did not end'));
  const open = await until('the operation', async () => await openOperations(engines, projectId));
  if (open.length > 0) {
    const heir = await until('recover', () => start(engines, 'recoverProject', { projectId, operationId: newOperationId() }));
    runs.push(await runOf(heir));
    if (!(await closed(heir))) problems.push(torn('`recover` did not end'));
    const left = await until('the operation', async () => await openOperations(engines, projectId));
    if (left.length > 0) problems.push(torn(`\`recover\` left ${left.join()} open: ${await failureOf(heir)}`));
  }
  recovered.resolve();
  await Promise.race([strikes, sleep(PATIENCE_MS, undefined, { ref: false }).then(() => { problems.push({ kind: 'harness', what: 'the fault did not end' }); })]);
  engines.worker.steer((call) => { call.pass(); });
  problems.push(...engines.worker.troubles().map((what): Problem => ({ kind: 'harness', what })));
  if (put?.boundary !== undefined && struck.size === 0) problems.push({ kind: 'harness', what: 'the boundary was not reached' });
  const outcome = await until('the outcome', async () => [await outcomeOf(engines, operationId)]);
  return { operation, operationId, outcome: outcome[0] ?? null, recovered: open.length > 0, runs, took: measured, problems, ...(missed === undefined ? {} : { missed }) };
}

async function measure(call: Call, measured: Map<string, number>): Promise<void> {
  const from = Date.now();
  await call.effect();
  measured.set(keyOf(call), Date.now() - from);
  call.reply();
}

async function start({ client, worker }: Engines, workflow: string, request: { projectId: ProjectId; operationId: OperationId }): Promise<WorkflowHandle> {
  const handle = await client.workflow.start(workflow, { workflowId: projectWorkflowId(request.projectId), taskQueue: worker.queue, args: [request] });
  return client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
}

async function runOf(handle: WorkflowHandle): Promise<{ workflowId: string; runId: string }> {
  return { workflowId: handle.workflowId, runId: (await until('the run', () => handle.describe())).runId };
}

/** False when it had to be ended; the connection to Temporal may be what is killed meanwhile. */
async function closed(handle: WorkflowHandle): Promise<boolean> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(100)) {
    const left = sleep(deadline - Date.now(), undefined, { ref: false }).then(() => 'late' as const);
    const ended = await Promise.race([handle.result().then(() => 'closed' as const, (error: unknown) => (error instanceof WorkflowFailedError ? 'closed' as const : 'away' as const)), left]);
    if (ended === 'closed') return true;
  }
  await until('its end', async () => { await handle.terminate('it hangs'); return true; });
  return false;
}

async function failureOf(handle: WorkflowHandle): Promise<string> {
  return await handle.result().then(() => 'no failure', (error: unknown) => (error instanceof Error ? `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}` : String(error)));
}

async function openOperations({ platform }: Engines, projectId: ProjectId): Promise<string[]> {
  return (await platform.open.database.query<{ id: string }>('SELECT id FROM operations WHERE project_id = $1 AND outcome IS NULL', [projectId])).map((row) => row.id);
}

async function outcomeOf({ platform }: Engines, operationId: OperationId): Promise<string | null> {
  return (await platform.open.database.query<{ outcome: string | null }>('SELECT outcome FROM operations WHERE id = $1', [operationId]))[0]?.outcome ?? null;
}
