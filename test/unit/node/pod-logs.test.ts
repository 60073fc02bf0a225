import { expect, test } from '@jest/globals';
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPodLogs, trimLog } from '../../../local/node/pod-logs.ts';

test('a long log keeps its end, from the start of a line, and its writer goes on after it', () => {
  const root = mkdtempSync(join(tmpdir(), 'logs-'));
  const file = createPodLogs(root).open('ns', 'p');
  const writer = openSync(file, 'a');
  for (let line = 0; line < 500; line++) writeSync(writer, `line ${String(line)}\n`);
  expect(trimLog(file, { maxBytes: 1_000, keptBytes: 100 })).toBe(true);
  writeSync(writer, 'after\n');
  closeSync(writer);
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  expect(lines.at(0)).toMatch(/^line \d+$/);
  expect(lines.slice(-2)).toEqual(['line 499', 'after']);
  expect(trimLog(file)).toBe(false);
});

test('a namespace keeps the logs of its newest pods, and of every pod that runs', () => {
  const root = mkdtempSync(join(tmpdir(), 'logs-'));
  const logs = createPodLogs(root);
  const running = logs.open('ns', 'running');
  for (let pod = 0; pod < 60; pod++) {
    const file = logs.open('ns', `p${String(pod)}`);
    appendFileSync(file, 'x\n');
    logs.close(file);
  }
  const kept = readdirSync(join(root, 'ns'));
  expect(kept.length).toBeLessThanOrEqual(42);
  expect(kept).toContain('running.log');
  expect(running).toBe(join(root, 'ns', 'running.log'));
});
