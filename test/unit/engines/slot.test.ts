/** A cache slot is whole or absent, whoever fills it at the same time and whoever is killed in between. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fillSlot } from '../../../local/engines/slot.ts';
import type { EngineEvent } from '../../../local/engines/report.ts';

let cache: string;
let slot: { path: string; entry: string };

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'adorable-slot-'));
  slot = { path: join(cache, 'thing-1'), entry: 'thing' };
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

/** A bootstrap in another process that says when it has begun and then takes its time. */
function otherProcess(buildMs: number): ChildProcess {
  const module = new URL('../../../local/engines/slot.ts', import.meta.url).href;
  const source = `
    import { writeFileSync } from 'node:fs';
    import { fillSlot } from ${JSON.stringify(module)};
    await fillSlot(${JSON.stringify(slot)}, () => {}, async (dir) => {
      writeFileSync(dir + '/thing', 'theirs');
      console.log('building');
      await new Promise((resolve) => setTimeout(resolve, ${buildMs}));
      return 'another process';
    });`;
  const env = { ...process.env, NODE_OPTIONS: '' };
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', source], { env, stdio: ['ignore', 'pipe', 'inherit'] });
}

const mine = async (dir: string) => {
  writeFileSync(join(dir, 'thing'), 'mine');
  return await Promise.resolve('this process');
};

test('two at once: one builds, the other waits and uses what was built', async () => {
  const child = otherProcess(300);
  await once(child.stdout!, 'data');
  const events: EngineEvent[] = [];
  await fillSlot(slot, (event) => events.push(event), mine);
  expect(readFileSync(join(slot.path, 'thing'), 'utf8')).toBe('theirs');
  expect(events).toEqual([{ state: 'waiting', detail: `process ${child.pid} is obtaining it` }]);
});

test('one that is killed in the middle leaves nothing that is used, and its lock is taken over', async () => {
  const child = otherProcess(60_000);
  await once(child.stdout!, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(slot.path)).toBe(false);
  await fillSlot(slot, () => undefined, mine);
  expect(readFileSync(join(slot.path, 'thing'), 'utf8')).toBe('mine');
  expect(readdirSync(cache)).toEqual(['thing-1']);
});

test('a build that fails, or that lacks its entry, leaves the slot absent', async () => {
  await expect(fillSlot(slot, () => undefined, () => Promise.reject(new Error('no network')))).rejects.toThrow('no network');
  await expect(fillSlot(slot, () => undefined, () => Promise.resolve('nothing'))).rejects.toThrow('did not produce thing');
  expect(readdirSync(cache)).toEqual([]);
});

test('many in one process build once', async () => {
  let builds = 0;
  await Promise.all(Array.from({ length: 5 }, () => fillSlot(slot, () => undefined, async (dir) => {
    builds++;
    return await mine(dir);
  })));
  expect(builds).toBe(1);
});
