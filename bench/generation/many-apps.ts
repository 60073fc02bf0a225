/**
 * One generation that makes many apps, by a worker of the benchmark's own: every activity is the real
 * one on the real stores, but nothing is started, so that the apps' own start is in no figure.
 */
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { readBlueprints } from '../../activities/producer/blueprints.ts';
import { openRuntime } from '../../client/open.ts';
import type { OpenRuntime } from '../../client/open.ts';
import { checkout } from '../../local/engines/recipe.ts';
import { PLAN_VERSION, sentinelOf } from '../../shared/architect/plan.ts';
import type { Blueprint, PlanFeature, ProposedPlan } from '../../shared/architect/plan.ts';
import { projectWorkflowId } from '../../shared/contract/operation.ts';
import { readWorkerConfig } from '../../workers/config.ts';
import { openWorker } from '../../workers/open-worker.ts';
import { seconds } from '../markdown.ts';
import { concluded } from '../restore/project.ts';
import { startingNothing } from '../workflow/starting-nothing.ts';
import { recordRun } from '../workflow/record-run.ts';
import type { RecordedRun } from '../workflow/record-run.ts';

const TASK_QUEUE = 'bench-generation';
/** Alternating, so that both kinds are in. */
const BLUEPRINTS = ['task-board', 'portfolio'];

/** A project of its own for each count; answers each run as its history tells it. */
export async function generateMany(open: OpenRuntime, client: Client, { counts, note }: { counts: readonly number[]; note: (text: string) => void }): Promise<readonly RecordedRun[]> {
  const { dataDir } = open.platform;
  const blueprints = await readBlueprints(join(checkout, 'blueprints'));
  const ours = await openRuntime(dataDir, { taskQueue: TASK_QUEUE });
  const worker = await openWorker(readWorkerConfig(dataDir, {}), { taskQueue: TASK_QUEUE, interceptors: [startingNothing] });

  const generate = async (apps: number): Promise<RecordedRun> => {
    // By the platform's own worker: its compute runs.
    const created = await open.runtime.createProject(`${String(apps)} apps`);
    await concluded(created);
    const { projectId } = created;
    const { revisionId } = await ours.runtime.propose(projectId, planOf(apps, blueprints));
    await concluded(await ours.runtime.approvePlan(projectId, revisionId, { waitMs: 1 }));
    return await recordRun(client, projectWorkflowId(projectId));
  };

  try {
    return await worker.runUntil(async () => {
      const runs: RecordedRun[] = [];
      for (const count of counts) {
        const run = await generate(count);
        note(`${String(count)} apps generated in ${seconds(run.ms)}`);
        runs.push(run);
      }
      return runs;
    });
  } finally {
    await worker.close();
    await ours.close();
  }
}

function planOf(apps: number, blueprints: readonly Blueprint[]): ProposedPlan {
  const features = Array.from({ length: apps }, (_, at): PlanFeature => {
    const blueprint = blueprints.find(({ id }) => id === BLUEPRINTS[at % BLUEPRINTS.length]);
    if (blueprint === undefined) throw new Error('The benchmark names a blueprint that is not there.');
    const id = `app-${String(at + 1).padStart(3, '0')}`;
    return {
      id, title: blueprint.title, blueprint: blueprint.id, change: null, targetAppId: sentinelOf(id), createsApp: { slug: id, kind: blueprint.kind, name: id },
      services: blueprint.services, requires: [], subtasks: blueprint.subtasks.map((subtask) => ({ ...subtask, id: `${id}/${subtask.id}` })),
    };
  });
  return { version: PLAN_VERSION, message: `${String(apps)} apps`, features };
}
