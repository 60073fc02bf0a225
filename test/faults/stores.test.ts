/** A new activity of a saga is under fault the day it is written only if the harness knows what to kill under it. */
import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeOf } from './real-faults.ts';

const WORKFLOWS = join(import.meta.dirname, '..', '..', 'workflows');
/** They take no part in a saga: they read, or reap what nothing refers to. */
const NO_SAGA = new Set(['sweep.ts', 'sweep-project.ts', 'plan-restore.ts', 'verify-project.ts']);

test('every activity that a saga calls has a store to kill', () => {
  const called = new Set(readdirSync(WORKFLOWS).filter((file) => !NO_SAGA.has(file)).flatMap((file) =>
    [...readFileSync(join(WORKFLOWS, file), 'utf8').matchAll(/\b(?:records|code|data|infra)\.(\w+)\(|\b(verifyMoment|pushRun)\(/g)].map((match) => match[1] ?? match[2] ?? '')));
  expect(called.size).toBeGreaterThan(30);
  expect([...called].filter((activity) => { try { storeOf(activity); return false; } catch { return true; } })).toEqual([]);
});
