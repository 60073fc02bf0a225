/**
 * The embedded platform of an end-to-end suite, in a data directory that pod uids can reach. Suites
 * that one jest worker runs one after the other share one, which `bin/test.mjs` stops at the end;
 * a suite has it for itself while it runs, and works on projects of its own. Run without that, a
 * suite has a platform of its own.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { down } from '../../cli/platform/down.ts';
import { up } from '../../cli/platform/up.ts';
import { openRuntime } from '../../client/open.ts';
import type { OpenRuntime } from '../../client/open.ts';
import { readRunRecord } from '../../local/supervisor/run-records.ts';
import type { PartName } from '../../local/supervisor/part-names.ts';
import { connectKube } from '../../local/kube-client.ts';
import { layout } from '../../local/paths.ts';
import { kubeconfigPath } from '../../local/platform.ts';

export interface TestPlatform {
  readonly data: string;
  readonly open: OpenRuntime;
  /** kill -9 of the worker; the supervisor starts another one. */
  killWorker(): Promise<void>;
  /** kill -9 of any part; resolves when the supervisor has started it again. */
  kill(part: PartName): Promise<void>;
  close(): Promise<void>;
}

/** `own`: not the one that suites share, since its environment is another one. */
export async function startPlatform(options: { directus: boolean; own?: boolean }): Promise<TestPlatform> {
  const shared = options.own === true ? undefined : process.env['ADORABLE_TEST_PLATFORMS'];
  const base = shared === undefined ? mkdtempSync(join(tmpdir(), 'ade-')) : join(shared, process.env['JEST_WORKER_ID'] ?? '1');
  mkdirSync(base, { recursive: true });
  chmodSync(base, 0o711);
  const data = join(base, 'data');
  // A platform learns at its start whether Directus is there; who shares it may need it.
  await up({ data, ...(options.directus || shared !== undefined ? { with: ['directus'] as const } : {}) });
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
      if (shared !== undefined) {
        await stopPods(data);
        return;
      }
      const { left } = await down({ data });
      // Read-only directories keep everybody but root from removing them. Files stay as they are: those of
      // dependencies are hard links to the machine's cache.
      spawnSync('find', [base, '-type', 'd', '-exec', 'chmod', 'u+w', '{}', '+']);
      rmSync(base, { recursive: true, force: true });
      if (left.length > 0) throw new Error(`processes left: ${JSON.stringify(left)}`);
    },
  };
}

/** The next suite finds the machine's memory free; what this one made is nobody's any more. */
async function stopPods(data: string): Promise<void> {
  const kube = connectKube(kubeconfigPath(data, 'admin'));
  try {
    const { items } = await kube.request<{ items: { metadata: { name: string; namespace: string } }[] }>({ method: 'GET', path: '/apis/apps/v1/deployments' });
    await Promise.all(items.map(({ metadata: { name, namespace } }) => kube.request({
      method: 'PATCH', path: `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, patch: 'application/merge-patch+json', body: { spec: { replicas: 0 } },
    })));
  } finally {
    await kube.close();
  }
}
