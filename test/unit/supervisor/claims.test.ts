/** Ports and loopback ranges of data directories never overlap, and are remembered (I8). */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownIdentity } from '../../../local/process-identity.ts';
import { claim } from '../../../local/supervisor/claims.ts';
import type { Wanted } from '../../../local/supervisor/claims.ts';

const environment = { ...process.env };
let scratch: string;
let listeners: Server[];

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'adorable-claims-'));
  process.env['ADORABLE_CACHE'] = join(scratch, 'cache');
  listeners = [];
});
afterEach(() => {
  process.env = { ...environment };
  for (const listener of listeners) listener.close();
  rmSync(scratch, { recursive: true, force: true });
});

function directory(instance: string, more: Partial<Wanted> = {}): Wanted {
  const dataDir = join(scratch, instance);
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, 'platform.json'), '{}');
  return { dataDir, instance, supervisor: ownIdentity(), asked: {}, ...more };
}

async function listenOn(port: number): Promise<void> {
  const listener = createServer();
  listeners.push(listener);
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
}

test('two that claim at the same moment share nothing, even when their ids would choose the same', async () => {
  const [a, b] = await Promise.all([claim(directory('00000000000000aa')), claim(directory('00000000000000bb'))]);
  const ports = [...Object.values(a.ports), ...Object.values(b.ports)];
  expect(new Set(ports).size).toBe(ports.length);
  expect(a.loopback).not.toEqual(b.loopback);
});

test('a claim is remembered, and an internal port that a stranger took meanwhile is chosen anew', async () => {
  const first = await claim(directory('10000000000000aa'));
  expect(await claim(directory('10000000000000aa', { remembered: first }))).toEqual(first);
  await listenOn(first.ports.kube);
  const second = await claim(directory('10000000000000aa', { remembered: first }));
  expect(second.ports.kube).not.toBe(first.ports.kube);
  expect({ ...second.ports, kube: 0 }).toEqual({ ...first.ports, kube: 0 });
  expect(second.loopback).toEqual(first.loopback);
});

test('a port that was asked for is refused when it is taken, and the refusal names it', async () => {
  const { ports } = await claim(directory('20000000000000aa'));
  await expect(claim(directory('20000000000000bb', { asked: { gateway: ports.gateway } }))).rejects.toMatchObject({
    type: 'PortTaken',
    details: { port: ports.gateway, part: 'gateway' },
  });
});

test('a Service range stays claimed while its data directory exists, and is free again afterwards', async () => {
  const dead = { pid: 2 ** 22 + 1, startTime: '1' };
  const first = await claim(directory('30000000000000aa', { supervisor: dead }));
  expect((await claim(directory('30000000000000bb'))).loopback).not.toEqual(first.loopback);
  rmSync(join(scratch, '30000000000000aa'), { recursive: true });
  expect((await claim(directory('30000000000000cc'))).loopback).toEqual(first.loopback);
  expect(readdirSync(join(scratch, 'cache', 'claims')).filter((name) => name.includes('aa'))).toEqual([]);
});
