/** One more worker on a platform: the same program in the environment that the supervisor gives its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layout } from '../../local/paths.ts';
import type { Platform } from '../../local/platform.ts';
import { partSpecs } from '../../local/supervisor/part-specs.ts';
import { partEnvironment } from '../../local/supervisor/supervisor.ts';
import { until } from './stopped.ts';

export interface SecondWorker {
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startSecondWorker(platform: Platform): Promise<SecondWorker> {
  const spec = partSpecs(platform).find(({ name }) => name === 'worker');
  if (spec === undefined) throw new Error('the platform has no worker');
  const log = join(layout(platform.dataDir).logs, 'second-worker.log');
  const output = openSync(log, 'w');
  const child = spawn(spec.command, [...spec.args], { cwd: '/', env: partEnvironment(platform, spec.name), stdio: ['ignore', output, output] });
  const ended = once(child, 'exit');
  await until('the second worker', () => (readFileSync(log, 'utf8').includes('"ready":true') ? true : undefined));
  return {
    pid: child.pid ?? 0,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
