/** A lock has one holder, waits for one that lives, and overrules one that is dead. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lock, tryLock } from '../../../local/lock-file.ts';
import { ownIdentity } from '../../../local/process-identity.ts';

let scratch: string;
let file: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'adorable-lock-'));
  file = join(scratch, 'the.lock');
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

test('a second taker is told who holds it, and gets it once it is released', async () => {
  const held = tryLock(file);
  expect(tryLock(file)).toMatchObject(ownIdentity());
  setTimeout(() => 'release' in held && held.release(), 50);
  const next = await lock(file);
  next.release();
  expect(readdirSync(scratch)).toEqual([]);
});

test('at any time one of many holds it', async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(Array.from({ length: 6 }, async () => {
    const held = await lock(file);
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside--;
    held.release();
  }));
  expect(most).toBe(1);
});

test.each([
  ['its pid is free', { pid: 2 ** 22 + 1, startTime: '1' }],
  ['its pid was given to another process since', { pid: process.pid, startTime: '1' }],
])('a dead holder is overruled: %s', (_, dead) => {
  writeFileSync(file, JSON.stringify(dead));
  const held = tryLock(file);
  expect('release' in held).toBe(true);
});
