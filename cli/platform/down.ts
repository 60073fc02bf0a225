/** Stops everything of one data directory, also what a killed supervisor left, and proves it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from '../../local/lock-file.ts';
import { dataDir, layout } from '../../local/paths.ts';
import { awaitGone, isAlive, signal } from '../../local/process-identity.ts';
import { control } from '../../local/supervisor/control.ts';
import { checkDataDirectory, instanceOf } from '../../local/supervisor/data-directory.ts';
import { clearLeftovers, strays } from '../../local/supervisor/leftovers.ts';
import { readRunRecord, removeRunRecord } from '../../local/supervisor/run-records.ts';
import type { PlatformOptions } from './env.ts';
import type { PlatformProgress } from './up.ts';

export interface DownResult {
  readonly state: 'stopped' | 'already-down';
  readonly ms: number;
  /** Processes that no supervisor watched any more. */
  readonly cleared: number;
  /** Processes of this data directory that are still there: always empty unless something is wrong. */
  readonly left: readonly { readonly pid: number; readonly command: string }[];
}

const STOP_TIMEOUT_MS = 40_000;

export async function down(options: PlatformOptions, progress: PlatformProgress = () => undefined): Promise<DownResult> {
  const began = Date.now();
  const data = dataDir(options.data);
  const paths = layout(data);
  if (!existsSync(paths.version)) return { state: 'already-down', ms: 0, cleared: 0, left: [] };
  checkDataDirectory(data);
  const supervisor = readRunRecord(paths, 'supervisor');
  const answered = await stopSupervisor(paths.socket, progress);
  if (supervisor && isAlive(supervisor)) {
    if (!answered) signal(supervisor.pid, 'SIGTERM');
    if ((await awaitGone([supervisor], STOP_TIMEOUT_MS)).length > 0) signal(supervisor.pid, 'SIGKILL');
    await awaitGone([supervisor], 2_000);
  }
  // An `up` that starts now must not have its parts cleared away.
  const held = await lock(join(paths.logs, 'supervisor.lock'));
  try {
    const instance = instanceOf(data);
    const cleared = await clearLeftovers(paths, instance);
    removeRunRecord(paths, 'supervisor');
    const left = instance === undefined ? [] : strays(paths, instance);
    progress({ part: 'platform', state: 'down', ms: Date.now() - began });
    return { state: answered || cleared > 0 ? 'stopped' : 'already-down', ms: Date.now() - began, cleared, left };
  } finally {
    held.release();
  }
}

async function stopSupervisor(socket: string, progress: PlatformProgress): Promise<boolean> {
  try {
    await control(socket, 'stop', (event) => {
      if (event.state !== 'down') progress(event);
    });
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE') return false;
    throw error;
  }
}
