/**
 * One generation that makes many apps, by a worker of the benchmark's own: every activity is the real
 * one on the real stores, but nothing is started, so that the apps' own start is in no figure.
 */
import { join } from 'node:path';
import { activityInfo } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { readBlueprints } from '../../activities/producer/blueprints.ts';
import { approveRevision } from '../../activities/records/plan-revisions.ts';
import type { OpenRuntime } from '../../client/open.ts';
import { newOperationId } from '../../client/runtime.ts';
import { checkout } from '../../local/engines/recipe.ts';
import { PLAN_VERSION, sentinelOf } from '../../shared/architect/plan.ts';
import type { Blueprint, PlanFeature, ProposedPlan } from '../../shared/architect/plan.ts';
import { GENERATE_PROJECT } from '../../shared/contract/generate-project.ts';
import type { GenerateRequest } from '../../shared/contract/generate-project.ts';
import { projectWorkflowId } from '../../shared/contract/operation.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { TierResult } from '../../shared/ports.ts';
import { readWorkerConfig } from '../../workers/config.ts';
import { openWorker } from '../../workers/open-worker.ts';
import { seconds } from '../markdown.ts';
import { concluded } from '../restore/project.ts';
import { recordRun } from '../workflow/record-run.ts';
import type { RecordedRun } from '../workflow/record-run.ts';

const TASK_QUEUE = 'bench-generation';
/** Alternating, so that both kinds are in. */
const BLUEPRINTS = ['task-board', 'portfolio'];

/** Deployments stay at 0, where the converge put them. */
const startingNothing: ActivityInterceptorsFactory = () => ({
  inbound: {
    execute: async (input, next) => (activityInfo().activityType === 'startTiers' ? { healthy: [], degraded: [] } satisfies TierResult : await next(input)),
  },
});

/** A project of its own for each count; answers each run as its history tells it. */
export async function generateMany({ platform, runtime, database }: OpenRuntime, counts: readonly number[], note: (text: string) => void): Promise<readonly RecordedRun[]> {
  const blueprints = await readBlueprints(join(checkout, 'blueprints'));
  const connection = await Connection.connect({ address: `127.0.0.1:${String(platform.ports.temporal)}` });
  const client = new Client({ connection });
  const worker = await openWorker(readWorkerConfig(platform.dataDir, {}), { taskQueue: TASK_QUEUE, interceptors: [startingNothing] });

  const generate = async (apps: number): Promise<RecordedRun> => {
    const created = await runtime.createProject(`${String(apps)} apps`);
    await concluded(created);
    const { projectId } = created;
    const { revisionId } = await runtime.propose(projectId, planOf(apps, blueprints));
    await approveRevision(database, projectId, revisionId);
    const request: GenerateRequest = { projectId, operationId: newOperationId(), door: 'approve_plan', revisionId, waitMs: 1 };
    const workflowId = projectWorkflowId(projectId);
    const outcome = (await client.workflow.execute(GENERATE_PROJECT, { workflowId, taskQueue: TASK_QUEUE, args: [request] })) as OperationOutcome;
    if (outcome.outcome !== 'generated') throw new Error(`The generation of ${String(apps)} apps ended ${outcome.outcome}: ${outcome.message}`);
    return await recordRun(client, workflowId);
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
    await connection.close();
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
