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
  const began = performance.now();
  let wall: number;
  let steps: Move['steps'];
  try {
    const started = await runtime.restore(projectId, target);
    await concluded(started);
    wall = performance.now() - began;
    steps = ((await started.progress())?.steps ?? []).map(({ name, startedAt, endedAt }) => ({ name, ms: Date.parse(endedAt ?? startedAt) - Date.parse(startedAt) }));
  } finally {
    // Left running after a failure it would keep the process alive.
    if (wall! === undefined) void prober.stop();
  }
  return { wall, steps, downtime: longestGap(await prober.stop()) };
}
