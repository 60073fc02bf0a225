/**
 * The truth about each part, read now: is its process the one that was started, and does it answer.
 * Nothing is taken from the supervisor's memory, which may be gone.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { containment, isContained } from '../../local/containment/containment.ts';
import type { Containment } from '../../local/containment/containment.ts';
import { checkout } from '../../local/engines/recipe.ts';
import { dataDir, layout } from '../../local/paths.ts';
import type { Layout } from '../../local/paths.ts';
import { readPlatform } from '../../local/platform.ts';
import type { Platform } from '../../local/platform.ts';
import { isAlive } from '../../local/process-identity.ts';
import { control } from '../../local/supervisor/control.ts';
import { checkDataDirectory } from '../../local/supervisor/data-directory.ts';
import { accountedFor, strays } from '../../local/supervisor/leftovers.ts';
import type { Stray } from '../../local/supervisor/leftovers.ts';
import { PART_NAMES } from '../../local/supervisor/part-names.ts';
import type { PartName } from '../../local/supervisor/part-names.ts';
import { checkReady } from '../../local/supervisor/readiness.ts';
import { readRunRecord } from '../../local/supervisor/run-records.ts';
import type { PlatformOptions } from './env.ts';

export interface PartStatus {
  readonly part: PartName | 'supervisor';
  /** `running`: the process lives but does not answer. */
  readonly state: 'ready' | 'running' | 'down';
  readonly pid?: number;
  readonly restarts?: number;
  readonly startedAt?: string;
  readonly reason?: string;
}

export interface StatusResult {
  readonly dataDir: string;
  readonly state: 'up' | 'degraded' | 'down';
  readonly parts: readonly PartStatus[];
  /** Processes of this data directory that nobody accounts for. */
  readonly strays: readonly Stray[];
  /** Whether code that nobody has read could be run here (I10). */
  readonly containment: Containment & { readonly contained: boolean };
}

/** Source of parts that a checkout may lack while it is being built. */
const OPTIONAL: Partial<Record<PartName, string>> = {
  node: 'local/node/main.ts',
  timeline: 'local/timeline/main.ts',
  gateway: 'local/gateway/main.ts',
  worker: 'workers/main.ts',
};

export async function status(options: PlatformOptions = {}): Promise<StatusResult> {
  const data = dataDir(options.data);
  if (existsSync(data)) checkDataDirectory(data);
  const platform = readPlatform(data);
  const paths = layout(data);
  const expected = PART_NAMES.filter((part) => !OPTIONAL[part] || existsSync(join(checkout, OPTIONAL[part])));
  const parts = await Promise.all([supervisorStatus(paths), ...expected.map((part) => partStatus(part, platform, paths))]);
  const found = containment(platform.engines.contain);
  const ready = parts.filter((part) => part.state === 'ready').length;
  return {
    dataDir: data,
    state: ready === parts.length ? 'up' : parts.every((part) => part.state === 'down') ? 'down' : 'degraded',
    parts,
    strays: strays(paths, platform.instance, accountedFor(paths)),
    containment: { ...found, contained: isContained(found) },
  };
}

async function partStatus(part: PartName, platform: Platform, paths: Layout): Promise<PartStatus> {
  const record = readRunRecord(paths, part);
  if (!record || !isAlive(record)) return { part, state: 'down', reason: record ? `its process ${record.pid} is gone` : 'not started' };
  const facts = { part, pid: record.pid, restarts: record.restarts, startedAt: record.startedAt };
  try {
    await checkReady(part, platform);
    return { ...facts, state: 'ready' };
  } catch (error) {
    return { ...facts, state: 'running', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function supervisorStatus(paths: Layout): Promise<PartStatus> {
  const record = readRunRecord(paths, 'supervisor');
  if (!record || !isAlive(record)) return { part: 'supervisor', state: 'down', reason: record ? `its process ${record.pid} is gone` : 'not started' };
  const facts = { part: 'supervisor', pid: record.pid, startedAt: record.startedAt } as const;
  try {
    let alive = false;
    await control(paths.socket, 'ping', (event) => (alive = event.state === 'alive'));
    return alive ? { ...facts, state: 'ready' } : { ...facts, state: 'running', reason: 'its socket gave no answer' };
  } catch (error) {
    return { ...facts, state: 'running', reason: error instanceof Error ? error.message : String(error) };
  }
}
