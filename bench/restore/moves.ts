/** One undo or redo through the product, with a client that watches the app meanwhile. */
import { performance } from 'node:perf_hooks';
import type { OpenRuntime } from '../../client/open.ts';
import { longestGap } from '../statistics.ts';
import { answers, concluded } from './project.ts';
import type { BenchProject } from './project.ts';
import { startProber } from './prober.ts';

export interface Move {
  readonly wall: number;
  readonly downtime: number;
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
}

export async function move({ runtime }: OpenRuntime, { projectId, world }: BenchProject, target: 'undo' | 'redo'): Promise<Move> {
  const prober = startProber(() => answers(world));
  try {
    const began = performance.now();
    const started = await runtime.restore(projectId, target);
    await concluded(started);
    const wall = performance.now() - began;
    const steps = ((await started.progress())?.steps ?? []).map(({ name, startedAt, endedAt }) => ({ name, ms: Date.parse(endedAt ?? startedAt) - Date.parse(startedAt) }));
    return { wall, steps, downtime: longestGap(await prober.stop()) };
  } catch (error) {
    prober.abandon();
    throw error;
  }
}
