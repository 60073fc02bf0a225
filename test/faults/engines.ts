/**
 * One embedded platform for the fault harness, with a worker of the harness' own beside the
 * supervisor's: operations under test run on its task queue, everything else on the platform's.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { connectKube } from '../../local/kube-client.ts';
import type { KubeClient } from '../../local/kube-client.ts';
import { layout } from '../../local/paths.ts';
import { kubeconfigPath } from '../../local/platform.ts';
import { SWEEP_SCHEDULE } from '../../shared/contract/sweep.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { bundleWorkflows } from '../../workers/open-worker.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { startSteeredWorker } from './steered-worker.ts';
import type { SteeredWorker } from './steered-worker.ts';

const run = promisify(execFile);
const PATIENCE_MS = 120_000;

export interface Engines {
  readonly platform: TestPlatform;
  readonly client: Client;
  readonly kube: KubeClient;
  readonly worker: SteeredWorker;
  git(projectId: ProjectId, ...args: string[]): Promise<string>;
  projectPath(projectId: ProjectId, ...parts: string[]): string;
  close(): Promise<void>;
}

export async function openEngines(options: { directus?: boolean } = {}): Promise<Engines> {
  const platform = await startPlatform({ directus: options.directus ?? false });
  const { data } = platform;
  const scratch = mkdtempSync(join(tmpdir(), 'ade-bundle-'));
  const bundle = join(scratch, 'workflows.js');
  writeFileSync(bundle, (await bundleWorkflows()).code);
  const connection = await Connection.connect({ address: `127.0.0.1:${String(platform.open.platform.ports.temporal)}` });
  const client = new Client({ connection });
  // A sweep in the middle of a case would reap what the case looks for.
  await client.schedule.getHandle(SWEEP_SCHEDULE).pause('the fault harness looks for leaks itself');
  const kube = connectKube(kubeconfigPath(data, 'admin'));
  const worker = await startSteeredWorker({ data, queue: 'faults', bundle });
  const projectPath = (projectId: ProjectId, ...parts: string[]): string => join(layout(data).projects, projectId, ...parts);
  return {
    platform, client, kube, worker, projectPath,
    git: async (projectId, ...args) => (await run('git', ['-c', 'safe.directory=*', '-C', projectPath(projectId, 'repo'), ...args], { maxBuffer: 256 * 1024 * 1024 })).stdout.trim(),
    async close() {
      await worker.close();
      await kube.close();
      await connection.close();
      await platform.close();
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}

/** Patience for what comes back by itself: a part that was killed, a connection to it. */
export async function until<T>(what: string, read: () => Promise<T | undefined>, patienceMs = PATIENCE_MS): Promise<T> {
  let last: unknown;
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(50)) {
    try {
      const found = await read();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
  }
  throw new Error(`${what} did not come in ${String(patienceMs / 1000)} s${last instanceof Error ? `: ${last.message}` : ''}`, { cause: last });
}
