/**
 * Where workflows run in a test: on a real Temporal server (`temporal.ts`), or in this process on
 * the SDK's own sandbox (`in-process.ts`), which is fast enough for every fault at every boundary.
 */
import type { OperationRequest } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { FakeWorld } from './fake-world.ts';

/** Thrown by a world in an activity's place: its worker is gone, nobody answers, another attempt comes. */
export class WorkerDied extends Error {}

/** A run that retries what cannot succeed: it would wait for ever. */
export class NeverEnds extends Error {}

export interface BenchRun {
  readonly workflowId: string;
  readonly runId: string;
  /** Rejects when the run failed or was terminated. */
  result(): Promise<unknown>;
  terminate(): Promise<void>;
  /** The cancel message that a person sends; resolves when the run has taken it in. */
  cancel(reason: string): Promise<void>;
  /** Resolves when the run waits for nothing but the activity that asks, or has ended. */
  quiet(): Promise<void>;
  /** Names of its activities and of its children's, in the order in which they were scheduled. */
  activities(): Promise<readonly string[]>;
}

export interface Bench {
  /** From here on, activities of this project act on this world. */
  serve(projectId: ProjectId, world: FakeWorld): void;
  start(workflow: string, request: OperationRequest & object): Promise<BenchRun>;
  close(): Promise<void>;
}

type Acts = Record<string, (input: { projectId: ProjectId }) => Promise<unknown>>;

/** One set of activities for every project: each call acts on the world of its input's project. */
export function servingWorlds(names: readonly string[]): { readonly activities: Acts; serve(projectId: ProjectId, world: FakeWorld): void } {
  const worlds = new Map<ProjectId, Acts>();
  const activities = Object.fromEntries(names.map((name) => [name, async (input: { projectId: ProjectId }) => {
    const act = worlds.get(input.projectId)?.[name];
    if (act === undefined) throw new Error(`${name} names no project that runs here`);
    return await act(input);
  }]));
  return { activities, serve: (projectId, world) => { worlds.set(projectId, world.activities() as unknown as Acts); } };
}
