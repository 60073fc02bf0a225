import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createEnsureDeps } from '../../../activities/producer/deps.ts';
import { createProducer } from '../../../activities/producer/producer.ts';
import { fillSlot } from '../../../local/engines/slot.ts';
import { cacheDir } from '../../../local/paths.ts';

const root = new URL('../../..', import.meta.url).pathname;
const blueprintsDir = join(root, 'blueprints');
const scratch = mkdtempSync(join(tmpdir(), 'adorable-runner-'));
const tree = join(scratch, 'tree');
const HOST = '127.196.77.1';
const children: ChildProcess[] = [];

beforeAll(async () => {
  const ensureDeps = createEnsureDeps({
    depsDir: join(scratch, 'deps'),
    cacheDir: cacheDir(),
    prebundler: join(root, 'local', 'node', 'runners', 'app', 'prebundle.mjs'),
    fillSlot: async (slot, build) => await fillSlot(slot, () => undefined, build),
  });
  const producer = createProducer({ blueprintsDir, checkRunner: '', node: process.execPath });
  for (const [blueprint, slug] of [['blog', 'blog'], ['finance-tracker', 'personal-finance']] as const) {
    const intoDir = join(tree, 'apps', slug);
    await producer.produce({ feature: { id: slug, blueprint }, appSlug: slug, appName: 'Roots', intoDir });
    symlinkSync(await ensureDeps(join(intoDir, 'package-lock.json')), join(intoDir, 'node_modules'));
  }
}, 180_000);

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

function start(port: number, env: Record<string, string>): { child: ChildProcess; output: () => string } {
  const own = join(scratch, `scratch-${String(port)}`);
  mkdirSync(own, { recursive: true });
  const child = spawn(process.execPath, [join(root, 'local/node/runners/app/main.mjs')], {
    env: { TREE: tree, APP_ID: 'a_000000000001', POD_IP: HOST, PORT: String(port), SCRATCH: own, PUBLIC_HOST: 'blog-p.preview.localhost', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

function get(port: number, path: string, host = 'blog-p.preview.localhost:9000'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: HOST, port, path, headers: { host, accept: 'text/html,*/*' } }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.once('error', reject).end();
  });
}

async function until(claim: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(50)) if (await claim()) return;
  throw new Error('it did not become true in time');
}

const exitOf = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once('exit', resolve));

test('a react app: served to its host, nothing outside its tree, one listener, a clean stop', async () => {
  const { child, output } = start(3801, { APP_SLUG: 'blog', APP_KIND: 'react', VITE_DIRECTUS_URL: 'http://directus-p.preview.localhost:9000', PGPASSWORD: 'not-for-browsers' });
  await until(() => output().includes('"ready"'));

  expect(await get(3801, '/healthz')).toMatchObject({ status: 200, body: '{"ok":true}' });
  expect((await get(3801, '/')).body).toContain('<title>Roots</title>');
  expect((await get(3801, '/posts/hello')).body).toContain('<div id="root">');
  const posts = await get(3801, '/src/posts.ts');
  expect(posts.body).toContain('http://directus-p.preview.localhost:9000');
  expect(posts.body).not.toContain('not-for-browsers');
  expect(await get(3801, '/trpc/health')).toMatchObject({ status: 404 });

  expect(await get(3801, '/', 'evil.example')).toMatchObject({ status: 403 });
  for (const path of ['/@fs/etc/passwd', `/@fs${tree}/apps/personal-finance/server/db.ts`, '/@fs/proc/self/environ', '/../personal-finance/index.html']) {
    const answer = await get(3801, path);
    expect([path, answer.status === 200 && !answer.body.includes('<div id="root">')]).toEqual([path, false]);
  }

  expect(listeners(child.pid ?? 0)).toEqual([`${HOST}:3801`]);
  const stopped = exitOf(child);
  child.kill('SIGTERM');
  expect(await stopped).toBe(0);
}, 60_000);

test('a fullstack app without its database is up but not ready, and says why', async () => {
  const { child, output } = start(3802, { APP_SLUG: 'personal-finance', APP_KIND: 'fullstack', PGHOST: HOST, PGPORT: '3899', PGUSER: 'x', PGPASSWORD: 'hidden-password', PGDATABASE: 'x' });
  await until(() => output().includes('"ready"'));
  expect(await get(3802, '/healthz')).toEqual({ status: 503, body: '{"ok":false,"reason":"database: ECONNREFUSED"}' });
  const answer = await get(3802, '/trpc/accounts.list');
  expect(answer.status).toBe(500);
  expect(answer.body).toContain('Something went wrong on the server.');
  expect(answer.body + output()).not.toContain('hidden-password');
  expect(child.exitCode).toBeNull();
}, 60_000);

test.each([
  ['a missing tree', { TREE: '/nowhere', APP_SLUG: 'blog', APP_KIND: 'react' }, 'There is no app at /nowhere/apps/blog'],
  ['no slug', { APP_KIND: 'react' }, 'needs APP_SLUG'],
])('%s: one clear line and exit 1', async (_, env, reason) => {
  const { child, output } = start(3803, env);
  expect(await exitOf(child)).toBe(1);
  expect(output()).toContain(reason);
}, 30_000);

/** From the kernel: what this process listens on. */
function listeners(pid: number): string[] {
  const inodes = new Set(readdirSync(`/proc/${String(pid)}/fd`).map((fd) => tryLink(`/proc/${String(pid)}/fd/${fd}`)));
  return ['tcp', 'tcp6'].flatMap((kind) =>
    readFileSync(`/proc/${String(pid)}/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && inodes.has(`socket:[${fields[9] ?? ''}]`))
      .map((fields) => toAddress(fields[1] ?? '')),
  );
}

function toAddress(hex: string): string {
  const [address = '', port = ''] = hex.split(':');
  const bytes = address.match(/../g)?.map((byte) => parseInt(byte, 16)).reverse() ?? [];
  return `${bytes.join('.')}:${String(parseInt(port, 16))}`;
}

function tryLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
