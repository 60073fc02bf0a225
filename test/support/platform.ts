/** One embedded platform for an end-to-end suite, in a data directory of its own that pod uids can reach. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { down } from '../../cli/platform/down.ts';
import { up } from '../../cli/platform/up.ts';
import { openRuntime } from '../../client/open.ts';
import type { OpenRuntime } from '../../client/open.ts';
import { readRunRecord } from '../../local/supervisor/run-records.ts';
import type { PartName } from '../../local/supervisor/part-names.ts';
import { layout } from '../../local/paths.ts';

export interface TestPlatform {
  readonly data: string;
  readonly open: OpenRuntime;
  /** kill -9 of the worker; the supervisor starts another one. */
  killWorker(): Promise<void>;
  /** kill -9 of any part; resolves when the supervisor has started it again. */
  kill(part: PartName): Promise<void>;
  close(): Promise<void>;
}

export async function startPlatform(options: { directus: boolean }): Promise<TestPlatform> {
  const base = mkdtempSync(join(tmpdir(), 'ade-'));
  chmodSync(base, 0o711);
  const data = join(base, 'data');
  await up({ data, ...(options.directus ? { with: ['directus'] as const } : {}) });
  const open = await openRuntime(data);
  async function kill(part: PartName): Promise<void> {
    const record = readRunRecord(layout(data), part);
    if (record === undefined) throw new Error(`there is no ${part} to kill`);
    process.kill(record.pid, 'SIGKILL');
    for (const deadline = Date.now() + 30_000; readRunRecord(layout(data), part)?.pid === record.pid; await sleep(100)) {
      if (Date.now() > deadline) throw new Error(`no new ${part} was started`);
    }
  }
  return {
    data, open, kill,
    killWorker: () => kill('worker'),
    async close() {
      await open.close();
      const { left } = await down({ data });
      // Served trees are read-only, which keeps everybody but root from removing them.
      spawnSync('chmod', ['-R', 'u+w', base]);
      rmSync(base, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`processes left: ${JSON.stringify(left)}`);
    },
  };
}
