/**
 * Restores on the real engines with one fault at one boundary: kill -9 of the worker or of the store
 * that the step talks to, or the run terminated. What is checked is read from the stores (I1, I2).
 */
import { Client, Connection } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTimelineClient } from '../../activities/data/index.ts';
import { openWorld } from '../../cli/story/world.ts';
import type { World } from '../../cli/story/world.ts';
import { readSecret } from '../../local/platform.ts';
import type { PartName } from '../../local/supervisor/part-names.ts';
import { projectWorkflowId } from '../../shared/contract/operation.ts';
import { tenantIdOf } from '../../shared/derive.ts';
import type { OperationId, ProjectId } from '../../shared/ids.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { boundariesOf } from './boundaries.ts';
import type { Boundary } from './boundaries.ts';

export type RealFault = 'kill the worker' | 'kill the store' | 'terminate';

/** The process that a step needs an answer from. Git has none: its steps lose Temporal, which awaits their reply. */
const STORE_OF: Readonly<Record<string, PartName>> = {
  claimOperation: 'postgres', planRestore: 'postgres', completeCheckpoint: 'postgres', decide: 'postgres', convergeRows: 'postgres', finalize: 'postgres',
  closeOperation: 'postgres', forkBranch: 'timeline', startCompute: 'timeline', convergeSchema: 'node', verifyMoment: 'timeline', commitDirty: 'temporal',
  restoreVersion: 'temporal', stopCompute: 'node', freeze: 'kube-apiserver', convergeInfra: 'kube-apiserver', startTiers: 'node', open: 'gateway',
};

export interface RealOutcome {
  readonly outcome: string;
  readonly ms: number;
  readonly problems: readonly string[];
}

export interface RealEngines {
  readonly platform: TestPlatform;
  readonly projectId: ProjectId;
  readonly world: World;
  /** The boundaries of one undisturbed restore. */
  record(target: 'undo' | 'redo'): Promise<readonly Boundary[]>;
  restore(target: 'undo' | 'redo', at?: { boundary: Boundary; fault: RealFault }): Promise<RealOutcome>;
  storeOf(boundary: Boundary): PartName;
  close(): Promise<void>;
}

/** A project with two apps, one generation apart: undo and redo alternate between them. */
export async function openRealEngines(): Promise<RealEngines> {
  const platform = await startPlatform({ directus: false });
  const { runtime, database } = platform.open;
  const connection = await Connection.connect({ address: `127.0.0.1:${String(platform.open.platform.ports.temporal)}` });
  const client = new Client({ connection });
  const timelines = createTimelineClient({ url: `http://127.0.0.1:${String(platform.open.platform.ports.timeline)}`, token: readSecret(platform.data, 'timeline.token') });
  const created = await runtime.createProject('Faults');
  const { projectId } = created;
  await created.result;
  for (const message of ['a personal finance tracker', 'a task board']) {
    await runtime.chat(projectId, message);
    const outcome = await (await runtime.approvePlan(projectId)).result;
    if (outcome.outcome !== 'generated') throw new Error(outcome.message);
  }
  const world = openWorld(platform.open.platform, projectId);

  function storeOf({ activity }: Boundary): PartName {
    const part = STORE_OF[activity];
    if (part === undefined) throw new Error(`say in STORE_OF which store ${activity} talks to`);
    return part;
  }

  /** Patience for what comes back by itself: a part that was killed, a connection to it. */
  async function until<T>(what: string, read: () => Promise<T | undefined>): Promise<T> {
    let last: unknown;
    for (const deadline = Date.now() + 90_000; Date.now() < deadline; await sleep(25)) {
      try {
        const found = await read();
        if (found !== undefined) return found;
      } catch (error) {
        last = error;
      }
    }
    throw new Error(`${what} did not come in 90 s`, { cause: last });
  }

  async function reached(runId: string, { activity, nth }: Boundary): Promise<void> {
    await until(`${activity} (${String(nth)})`, async () => {
      const { events } = await client.workflow.getHandle(projectWorkflowId(projectId), runId).fetchHistory();
      const count = (events ?? []).filter((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity).length;
      return count >= nth ? true : undefined;
    });
  }

  const outcomeOf = (operationId: OperationId): Promise<string> => until(`the outcome of ${operationId}`, async () => {
    const [row] = await database.query<{ outcome: string | null }>('SELECT outcome FROM operations WHERE id = $1', [operationId]);
    return row?.outcome ?? undefined;
  });

  async function problems(apps: readonly string[]): Promise<string[]> {
    const receipt = await until('a verification', () => runtime.verify(projectId));
    const found = receipt.differences.map((d) => `${d.store}: ${d.what} is ${d.found}, not ${d.expected}`);
    const dirs = await world.appDirs();
    if (dirs.join() !== apps.join()) found.push(`apps at HEAD are ${dirs.join()}, not ${apps.join()}`);
    const live = await until('the timelines', () => timelines.listTimelines(tenantIdOf(projectId)));
    const known = await database.query<{ id: string }>(`SELECT timeline_id AS id FROM checkpoints WHERE project_id = $1 AND status = 'complete' UNION SELECT timeline_id FROM projects WHERE id = $1`, [projectId]);
    found.push(...live.filter((timeline) => !known.some((row) => row.id === timeline.timeline_id)).map((timeline) => `leaked fork ${timeline.timeline_id}`));
    const intents = await database.query<{ id: string }>(`SELECT id FROM checkpoints WHERE project_id = $1 AND status = 'intent'`, [projectId]);
    return [...found, ...intents.map(({ id }) => `leaked intent ${id}`)];
  }

  const BEFORE = ['personal-finance'];
  const AFTER = ['personal-finance', 'task-board'];

  return {
    platform, projectId, world, storeOf,
    async record(target) {
      const started = await runtime.restore(projectId, target);
      await started.result;
      return await boundariesOf(client, projectWorkflowId(projectId));
    },
    async restore(target, at) {
      const from = Date.now();
      const started = await runtime.restore(projectId, target);
      const { runId } = await client.workflow.getHandle(projectWorkflowId(projectId)).describe();
      started.result.catch(() => undefined); // Its connection may be what is killed: the row says what became of it.
      if (at !== undefined) {
        await reached(runId, at.boundary);
        if (at.fault === 'kill the worker') await platform.kill('worker');
        if (at.fault === 'kill the store') await platform.kill(storeOf(at.boundary));
        if (at.fault === 'terminate') {
          // It may have closed in between: then there is nothing to recover, which `recover` says.
          await client.workflow.getHandle(projectWorkflowId(projectId), runId).terminate('injected').catch(() => undefined);
          await (await runtime.recover(projectId)).result;
        }
      }
      const outcome = await outcomeOf(started.operationId);
      const moved = outcome === 'restored' ? target : target === 'undo' ? 'redo' : 'undo';
      return { outcome, ms: Date.now() - from, problems: await problems(moved === 'undo' ? BEFORE : AFTER) };
    },
    async close() {
      await world.close();
      await connection.close();
      await platform.close();
    },
  };
}
