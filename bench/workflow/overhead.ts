/**
 * A workflow and the bare one on the same server, by one worker, over activities that answer what a
 * real run's answered: as fast as they can, or after as long as they took.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { activityInfo } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { activityInterceptors } from '../../workers/heartbeat-interceptor.ts';
import { childOf, groupsOf } from './history.ts';
import type { RecordedCall } from './history.ts';

const TASK_QUEUE = 'bench';
const BARE = 'bareWorkflow';

export interface Overhead {
  readonly own: readonly number[];
  readonly bare: readonly number[];
}

export interface OverheadInput {
  readonly client: Client;
  readonly address: string;
  /** Its name, as bench/workflow/workflows.ts registers it. */
  readonly workflow: string;
  readonly calls: readonly RecordedCall[];
  readonly request: unknown;
  readonly repeat: number;
  /** Children that ran side by side. */
  readonly sideBySide?: (child: string) => boolean;
}

/** The process's own, before its first worker: a worker's comings and goings are no figures. */
export function quietWorkers(): void {
  Runtime.install({ logger: new DefaultLogger('WARN') });
}

/** Both, alternating; `paced` lets each activity take as long as it took. */
export async function measureOverhead(input: OverheadInput, paced: boolean): Promise<Overhead> {
  const { client, workflow: measured, calls, request, repeat } = input;
  const connection = await NativeConnection.connect({ address: input.address });
  const worker = await Worker.create({
    connection, taskQueue: TASK_QUEUE, activities: answering(calls, paced), interceptors: { activity: [activityInterceptors] },
    workflowBundle: await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)), logger: new DefaultLogger('ERROR') }),
  });
  const groups = groupsOf(calls, input.sideBySide).map((group) => group.map(({ type, args }) => ({ type, args })));
  const timed = async (workflow: string, args: readonly unknown[], round: number): Promise<number> => {
    const began = performance.now();
    await client.workflow.execute(workflow, { workflowId: `bench/${workflow}/${paced ? 'paced' : 'instant'}/${String(calls.length)}/${String(round)}`, taskQueue: TASK_QUEUE, args: [...args] });
    return performance.now() - began;
  };
  try {
    return await worker.runUntil(async () => {
      const times = { own: [] as number[], bare: [] as number[] };
      // The first round loads the workflows' code.
      for (let round = 0; round <= repeat; round++) {
        const [own, bare] = [await timed(measured, [request], round), await timed(BARE, [groups], round)];
        if (round > 0) { times.own.push(own); times.bare.push(bare); }
      }
      return times;
    });
  } finally {
    await connection.close();
  }
}

/** Per run, the n-th call of a type gets the n-th recorded answer; the bare workflow makes the children's calls itself. */
function answering(calls: readonly RecordedCall[], paced: boolean): Record<string, () => Promise<unknown>> {
  const asked = new Map<string, number>();
  return Object.fromEntries([...new Set(calls.map((call) => call.type))].map((type) => {
    const ofType = calls.filter((call) => call.type === type);
    const byChild = Map.groupBy(ofType, ({ child }) => child);
    return [type, async () => {
      const { workflowId = '' } = activityInfo().workflowExecution ?? {};
      const recorded = workflowId.startsWith(`bench/${BARE}/`) ? ofType : byChild.get(childOf(workflowId)) ?? [];
      const key = `${workflowId} ${type}`;
      const at = asked.get(key) ?? 0;
      asked.set(key, at + 1);
      const call = recorded[at];
      if (call === undefined) throw ApplicationFailure.nonRetryable(`The recorded run called ${type} ${String(recorded.length)} times only.`);
      if (paced) await sleep(call.ms);
      return call.result;
    }];
  }));
}
