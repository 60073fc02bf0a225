/**
 * The timeline server away after a restore's decision: the command that follows ends with exit code 5
 * and says what is left, `status` says it too, and when the server is back a resume brings the
 * restore home (I2).
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { checkout } from '../../local/engines/recipe.ts';
import { layout } from '../../local/paths.ts';
import { readRunRecord } from '../../local/supervisor/run-records.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';

const run = promisify(execFile);
let platform: TestPlatform;
let projectId: ProjectId;
const stopped = new Set<number>();

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  const created = await platform.open.runtime.createProject('Held up');
  ({ projectId } = created);
  await created.result;
  await platform.open.runtime.chat(projectId, 'a personal finance tracker');
  expect(await (await platform.open.runtime.approvePlan(projectId)).result).toMatchObject({ outcome: 'generated' });
}, 900_000);

afterAll(async () => {
  for (const pid of stopped) process.kill(pid, 'SIGCONT');
  await platform.close();
}, 60_000);

async function adorable(...args: string[]): Promise<{ code: number; json: Record<string, unknown> }> {
  const command = [join(checkout, 'cli', 'main.ts'), ...args, '--json', '--data', platform.data];
  try {
    return { code: 0, json: JSON.parse((await run(process.execPath, command, { env: { ...process.env, NODE_OPTIONS: '' } })).stdout) as Record<string, unknown> };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, json: JSON.parse(stdout) as Record<string, unknown> };
  }
}

const decided = async (): Promise<boolean> => {
  const rows = await platform.open.database.query<{ decision: string | null }>(`SELECT decision FROM operations WHERE kind = 'restore'`);
  return rows[0]?.decision === 'target';
};

const outcome = async (): Promise<string | null | undefined> =>
  (await platform.open.database.query<{ outcome: string | null }>(`SELECT outcome FROM operations WHERE kind = 'restore'`))[0]?.outcome;

test('a restore that meets an outage after its decision is told as stuck, goes on, and ends restored', async () => {
  const pid = readRunRecord(layout(platform.data), 'timeline')?.pid;
  if (pid === undefined) throw new Error('there is no timeline server');
  const followed = adorable('undo', projectId, '--yes', '--stuck-after', '1');
  while (!(await decided())) await sleep(5);
  process.kill(pid, 'SIGSTOP');
  stopped.add(pid);

  const told = await followed;
  expect(told).toMatchObject({ code: 5, json: { error: { type: 'Stuck', projectId, stuck: { activity: expect.any(String), since: expect.stringMatching(/^\d{4}-/) } } } });
  const { operationId } = told.json['error'] as { operationId: string };
  const status = await adorable('status', '--stuck-after', '1');
  expect(status.json['operations']).toMatchObject([{ projectId, operationId, kind: 'restore', stuck: { activity: expect.any(String) } }]);
  expect(await platform.open.runtime.progress(projectId, { stuckAfterMs: 1_000 })).toMatchObject({ kind: 'restore', operationId, stuck: { activity: expect.any(String) } });

  process.kill(pid, 'SIGCONT');
  stopped.delete(pid);
  expect(await platform.open.runtime.resume(projectId)).toMatchObject({ operationId });
  for (const deadline = Date.now() + 90_000; (await outcome()) === null && Date.now() < deadline; ) await sleep(100);
  expect(await outcome()).toBe('restored');
  expect((await platform.open.runtime.verify(projectId)).differences).toEqual([]);
}, 240_000);
