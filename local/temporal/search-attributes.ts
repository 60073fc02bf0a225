/**
 * The search attributes that workflows set. They are created after each start, because the server's
 * own flag counts only when its file is new; a workflow that sets a missing one would hang.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Platform } from '../platform.ts';

const run = promisify(execFile);

export const SEARCH_ATTRIBUTES = ['ProjectId', 'Operation', 'Phase'] as const;
const TIMEOUT_MS = 15_000;

export async function ensureSearchAttributes(platform: Platform): Promise<void> {
  const target = ['--address', `127.0.0.1:${platform.ports.temporal}`, '--namespace', 'default'];
  const operator = async (...args: string[]) => await run(platform.engines.temporal, ['operator', 'search-attribute', ...args, ...target], { timeout: TIMEOUT_MS });
  const { stdout } = await operator('list', '--output', 'json');
  const missing = SEARCH_ATTRIBUTES.filter((name) => !new RegExp(`"${name}"`).test(stdout));
  if (missing.length > 0) await operator('create', ...missing.flatMap((name) => ['--name', name, '--type', 'Keyword']));
}
