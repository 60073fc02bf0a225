/** Checks take turns, and end with whoever asked for them. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createSlots } from '../../../activities/producer/check-slots.ts';
import { runCheck } from '../../../activities/producer/run-check.ts';
import { until } from '../../support/stopped.ts';

test('so many at once, in order of arrival; a failed one gives its slot back', async () => {
  const inSlot = createSlots(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  const one = (number: number) => inSlot(undefined, async () => {
    begun.push(number);
    running += 1;
    most = Math.max(most, running);
    await new Promise(setImmediate);
    running -= 1;
    if (number % 3 === 0) throw new Error(`no ${String(number)}`);
    return number;
  });
  const results = await Promise.allSettled(Array.from({ length: 7 }, (_, number) => one(number)));
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected']);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(most).toBe(2);
});

test('who is cancelled while it waits leaves at once, never begins, and holds up nobody', async () => {
  const inSlot = createSlots(1);
  const held = Promise.withResolvers<void>();
  const first = inSlot(undefined, () => held.promise);
  const cancel = new AbortController();
  const begun: string[] = [];
  const second = inSlot(cancel.signal, async () => { begun.push('second'); });
  const third = inSlot(undefined, async () => { begun.push('third'); });
  cancel.abort(new Error('cancelled'));
  await expect(second).rejects.toThrow('cancelled');
  expect(begun).toEqual([]);
  held.resolve();
  await Promise.all([first, third]);
  expect(begun).toEqual(['third']);
  await expect(inSlot(cancel.signal, async () => { begun.push('late'); })).rejects.toThrow('cancelled');
  await inSlot(undefined, async () => { begun.push('fourth'); });
  expect(begun).toEqual(['third', 'fourth']);
});

test('who is cancelled as its turn comes passes the slot on', async () => {
  const inSlot = createSlots(1);
  const held = Promise.withResolvers<void>();
  const cancel = new AbortController();
  const first = inSlot(undefined, () => held.promise).then(() => { cancel.abort(new Error('cancelled')); });
  const second = inSlot(cancel.signal, async () => { throw new Error('begun'); });
  held.resolve();
  await first;
  await expect(second).rejects.toThrow(/cancelled|begun/);
  expect(await inSlot(undefined, async () => 'free')).toBe('free');
});

test('a check ends with the activity that asked for it, and so does what it started', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'adorable-run-check-'));
  const runner = join(dir, 'main.mjs');
  const pids = join(dir, 'pids');
  writeFileSync(runner, `
    import { spawn } from 'node:child_process';
    import { renameSync, writeFileSync } from 'node:fs';
    const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
    writeFileSync(${JSON.stringify(`${pids}.new`)}, process.pid + ' ' + child.pid);
    renameSync(${JSON.stringify(`${pids}.new`)}, ${JSON.stringify(pids)});
    setInterval(() => undefined, 1000);`);
  mkdirSync(join(dir, 'scratch', 'apps', 'blog'), { recursive: true });
  const cancel = new AbortController();
  const ended = runCheck({ node: process.execPath, runner, scratchDir: join(dir, 'scratch'), slug: 'blog', uid: undefined, contain: undefined, signal: cancel.signal, heartbeat: () => undefined })
    .then(() => 'passed', (error: unknown) => (error as Error).message);
  const started = (await until('the check', () => { try { return readFileSync(pids, 'utf8'); } catch { return undefined; } })).split(' ').map(Number);
  cancel.abort(new Error('cancelled'));
  expect(await ended).toBe('cancelled');
  await until('the end of both', () => started.every((pid) => !isRunning(pid)) || undefined);
  rmSync(dir, { recursive: true });
});

function isRunning(pid: number): boolean {
  try {
    // A killed grandchild may stay as a zombie until somebody reaps it.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${String(pid)}/status`, 'utf8'));
  } catch {
    return false;
  }
}
