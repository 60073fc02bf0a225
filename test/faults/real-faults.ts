/**
 * The faults that are put at a boundary on the real engines. Each strikes one activity call of a run,
 * in the middle of its effect where that is what makes it hard: at a moment that follows from the
 * boundary's own recorded time, so that the same call is struck the same way again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { PartName } from '../../local/supervisor/part-names.ts';
import { CANCEL_RUN_UPDATE, PROGRESS, RESUME_RUN_UPDATE } from '../../shared/contract/operation.ts';
import type { Progress } from '../../shared/contract/operation.ts';
import type { OperationId } from '../../shared/ids.ts';
import type { Call, SteeredWorker } from './steered-worker.ts';

export const FAULTS = ['fails', 'loses its reply', 'runs twice', 'is cancelled', 'kill the worker', 'kill the store', 'terminate', 'fails once', 'its reply is lost once'] as const;
export type RealFault = (typeof FAULTS)[number];

/** What no boundary minds happening at all others too, so that one run can take them all. */
export const EVERYWHERE: ReadonlySet<RealFault> = new Set(['fails once', 'its reply is lost once', 'runs twice']);

/** Where a call's answer comes from: what is killed under it. `children`: processes of the worker itself, git's and the checks'. */
const STORE_OF: Readonly<Record<string, PartName | 'children'>> = {
  ensureProject: 'postgres', claimOperation: 'postgres', raiseOperationFence: 'postgres', planRestore: 'temporal', recordCheckpointIntent: 'postgres', completeCheckpoint: 'postgres',
  voidCheckpoint: 'postgres', decide: 'postgres', decideBack: 'postgres', convergeRows: 'postgres', finalize: 'postgres', closeOperation: 'temporal',
  planGeneration: 'postgres', ensurePendingApp: 'postgres', dropPendingApp: 'postgres', resolveCreatesAppSentinels: 'postgres', bucketPlan: 'temporal', pendingOf: 'postgres',
  archiveProject: 'postgres', ensureSecrets: 'postgres',
  ensureRepository: 'children', commitDirty: 'children', scaffoldApp: 'children', produceApp: 'children', checkApp: 'children', composeCommit: 'children', restoreVersion: 'children',
  dropRun: 'children', deleteRepository: 'children', adoptResult: 'children', pushRun: 'temporal',
  ensureTenant: 'timeline', deleteTenant: 'timeline', forkBranch: 'timeline', deleteFork: 'timeline', rehearseMigrations: 'timeline', pinMoment: 'timeline',
  unpinMoment: 'timeline', verifyMoment: 'timeline', startCompute: 'timeline',
  emitCheckpointLsn: 'node', ensureAppSchema: 'node', dropAppSchema: 'node', ensureServiceSchema: 'node', dropServiceSchema: 'node', convergeSchema: 'node', stopCompute: 'node',
  startTiers: 'node', seedServices: 'node',
  ensureNamespace: 'kube-apiserver', deleteNamespace: 'kube-apiserver', convergeInfra: 'kube-apiserver', freeze: 'gateway', open: 'etcd',
};

/**
 * Not refused when they land late (ARCHITECTURE, "The fence"): ids follow from the operation, or the
 * write is the outcome itself. Of these only a reply can be late; of all others the whole effect is.
 */
const NOT_FENCED: ReadonlySet<string> = new Set([
  'ensureProject', 'claimOperation', 'closeOperation', 'forkBranch', 'deleteFork', 'ensureTenant', 'pinMoment', 'unpinMoment', 'emitCheckpointLsn',
  'ensureAppSchema', 'dropAppSchema', 'ensureServiceSchema', 'dropServiceSchema', 'convergeSchema', 'seedServices', 'ensureSecrets', 'verifyMoment', 'bucketPlan', 'pendingOf',
]);

/** What a fault may do to the run that it strikes. */
export interface Struck {
  readonly worker: SteeredWorker;
  readonly run: Promise<WorkflowHandle>;
  readonly operationId: OperationId;
  /** How long this call took undisturbed. */
  readonly tookMs: number;
  /** Resolves when the run that was terminated has been recovered: what is late lands then. */
  readonly recovered: Promise<void>;
  kill(part: PartName): Promise<void>;
}

export function storeOf(activity: string): PartName | 'children' {
  const store = STORE_OF[activity];
  if (store === undefined) throw new Error(`say in STORE_OF which store ${activity} talks to`);
  return store;
}

/** Why it could not be put, where it cannot; undefined once it was. */
export async function strike(fault: RealFault, call: Call, struck: Struck): Promise<string | undefined> {
  switch (fault) {
    case 'fails':
      call.fail('PreconditionFailed', false);
      return undefined;
    case 'fails once':
      call.fail('Unavailable', true);
      return undefined;
    case 'loses its reply':
    case 'its reply is lost once':
      await call.effect();
      call.fail(fault === 'loses its reply' ? 'PreconditionFailed' : 'Unavailable', fault !== 'loses its reply');
      return undefined;
    case 'runs twice':
      await call.effect();
      await call.effect();
      call.reply();
      return undefined;
    case 'is cancelled':
      await cancel(call, struck);
      call.pass();
      return undefined;
    case 'kill the worker': {
      // Within its effect, or with the effect done and the reply not sent: never after it.
      await Promise.race([call.effect(), sleep(fraction(call) * struck.tookMs)]);
      await struck.worker.kill();
      await struck.worker.start();
      return undefined;
    }
    case 'kill the store':
      return await killStore(call, struck);
    case 'terminate': {
      const late = !NOT_FENCED.has(call.activity);
      if (!late) await call.effect();
      await (await struck.run).terminate('injected');
      await struck.recovered;
      if (late) await call.effect();
      call.reply();
      return undefined;
    }
  }
}

/** As a message to the run and as Temporal's own cancellation, one boundary after the other. */
async function cancel(call: Call, { run, operationId }: Struck): Promise<void> {
  const handle = await run;
  if (fraction(call) < 0.5) await handle.cancel();
  else await handle.executeUpdate(CANCEL_RUN_UPDATE, { args: [{ operationId, reason: 'injected' }] });
}

async function killStore(call: Call, struck: Struck): Promise<string | undefined> {
  const { kill, worker, tookMs } = struck;
  const store = storeOf(call.activity);
  const effect = call.effect();
  if (store !== 'children') {
    await Promise.race([effect, sleep(fraction(call) * tookMs)]);
    await kill(store);
    await effect;
    call.reply();
    return undefined;
  }
  const wait = sleep(fraction(call) * tookMs).then(() => 'now' as const);
  if (await Promise.race([effect.then(() => 'ended' as const), wait]) === 'ended') { call.reply(); return 'over before it was struck'; }
  let over = false;
  void effect.then(() => { over = true; });
  let killed = 0;
  while (!over && killed === 0) {
    for (const pid of childrenOf(worker.pid)) killed += end(pid) ? 1 : 0;
    await sleep(1);
  }
  await effect;
  call.reply();
  if (call.activity === 'checkApp') await resumeOnce(struck);
  return killed > 0 ? undefined : 'it had no process of its own to kill';
}

/** What ends a check is its app's own doing until a person says otherwise: the run waits minutes for one. */
async function resumeOnce({ run, operationId }: Struck): Promise<void> {
  const handle = await run;
  while ((await handle.describe()).status.name === 'RUNNING') {
    if ((await handle.query<Progress>(PROGRESS)).waitingFor !== undefined) {
      await handle.executeUpdate(RESUME_RUN_UPDATE, { args: [{ operationId }] });
      return;
    }
    await sleep(200);
  }
}

function end(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false; // It ended by itself.
  }
}

/** By their parent's pid in the process table: not every kernel lists a process' children. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
    } catch {
      return false; // It ended.
    }
  });
}

/** Between 0 and 1, from the boundary's name alone. */
function fraction({ activity, nth }: Call): number {
  let hash = 2166136261;
  for (const char of `${activity} ${String(nth)}`) hash = Math.imul(hash ^ char.charCodeAt(0), 16777619) >>> 0;
  return (hash % 1000) / 1000;
}
