/**
 * The embedded platform on its real engines: whatever is killed comes back, whatever is stopped is
 * gone (I2), and two data directories never touch each other (I8).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { callKube } from '../../local/kube/api.ts';
import { layout } from '../../local/paths.ts';
import { connectKube } from '../../local/kube-client.ts';
import { kubeconfigPath, readPlatform } from '../../local/platform.ts';
import { identityOf } from '../../local/process-identity.ts';
import { PART_NAMES } from '../../local/supervisor/part-names.ts';
import type { PartName } from '../../local/supervisor/part-names.ts';
import { readRunRecord } from '../../local/supervisor/run-records.ts';
import { down } from '../../cli/platform/down.ts';
import { env } from '../../cli/platform/env.ts';
import { status } from '../../cli/platform/status.ts';
import type { PartStatus } from '../../cli/platform/status.ts';
import { up } from '../../cli/platform/up.ts';

const run = promisify(execFile);
const directories: string[] = [];

function newDataDir(): string {
  const base = mkdtempSync(join(tmpdir(), 'adb-'));
  chmodSync(base, 0o711);
  directories.push(base);
  return join(base, 'data');
}

/** What the process table itself says of an instance, beside what the platform says of itself. */
function processesOf(instance: string): number[] {
  return readdirSync('/proc').map(Number).filter((pid) => {
    if (!Number.isInteger(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`ADORABLE_INSTANCE=${instance}`);
    } catch {
      return false; // Gone meanwhile.
    }
  });
}

async function partOf(data: string, part: PartName): Promise<PartStatus | undefined> {
  return (await status({ data })).parts.find((row) => row.part === part);
}

async function until(claim: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; !(await claim()); await sleep(50)) {
    if (Date.now() > deadline) throw new Error('it did not come true in time');
  }
}

afterAll(async () => {
  for (const base of directories) {
    await down({ data: join(base, 'data') }).catch(() => undefined); // A refused directory was never up.
    rmSync(base, { recursive: true, force: true });
  }
}, 60_000);

describe('one platform', () => {
  const data = newDataDir();

  beforeAll(async () => {
    const [first, second] = await Promise.all([up({ data }), up({ data })]);
    expect(first.env).toEqual(second.env);
  }, 90_000);

  test('two `up` at once made one platform, and every part answers', async () => {
    const now = await status({ data });
    expect(now.parts.filter((part) => part.state !== 'ready')).toEqual([]);
    expect(now.state).toBe('up');
    expect(now.strays).toEqual([]);
    const again = await up({ data });
    expect(again.state).toBe('already-up');
    expect((await status({ data })).parts.map((part) => part.pid)).toEqual(now.parts.map((part) => part.pid));
  });

  test('what it made for its parts is there: search attributes, rights, a Service range', async () => {
    const platform = readPlatform(data);
    const { stdout } = await run(platform.engines.temporal, ['operator', 'search-attribute', 'list', '--address', env({ data }).TEMPORAL_ADDRESS, '--output', 'json']);
    for (const name of ['ProjectId', 'Operation', 'Phase']) expect(stdout).toContain(`"${name}"`);
    const cidr = await callKube(platform, { path: '/apis/networking.k8s.io/v1/servicecidrs/kubernetes' });
    expect(cidr.body).toContain(platform.loopback.services);
    expect(await mayWorker(data, 'create', 'deployments', 'apps')).toBe(true);
    expect(await mayWorker(data, 'create', 'pods', '')).toBe(false);
    expect(await mayWorker(data, 'delete', 'validatingadmissionpolicies', 'admissionregistration.k8s.io')).toBe(false);
  });

  test('no secret is in its description, and only its owner can read the files that hold one', async () => {
    const paths = layout(data);
    const description = readFileSync(paths.platform, 'utf8') + JSON.stringify(env({ data }));
    for (const name of readdirSync(paths.secrets)) expect(description).not.toContain(readFileSync(join(paths.secrets, name), 'utf8').trim());
    expect(env({ data, secrets: true }).DATABASE_URL).toContain(readFileSync(join(paths.secrets, 'postgres.password'), 'utf8'));
    const { stdout } = await run('find', [paths.secrets, join(paths.kube, 'pki'), '-type', 'f', '-perm', '/077', '-not', '-name', '*.crt']);
    expect(stdout).toBe('');
  });

  test('kill -9 of any part is seen and it comes back', async () => {
    const before = await status({ data });
    for (const { part, pid } of before.parts) {
      if (part === 'supervisor' || pid === undefined) continue;
      process.kill(pid, 'SIGKILL');
      await until(async () => readRunRecord(layout(data), part)?.pid !== pid, 2_000);
      await until(async () => (await partOf(data, part))?.state === 'ready', 20_000);
      expect((await partOf(data, part))?.restarts).toBe(1);
    }
    await until(async () => (await status({ data })).state === 'up', 20_000);
  }, 90_000);

  test('while the API server is killed and starts, its clients see an outage, never a refusal', async () => {
    const kube = connectKube(kubeconfigPath(data, 'worker'));
    const killed = readRunRecord(layout(data), 'kube-apiserver');
    const seen = new Set<string>();
    try {
      process.kill(killed?.pid ?? 0, 'SIGKILL');
      await until(async () => {
        const answer = await kube.request({ method: 'GET', path: '/api/v1/namespaces' }).then(() => 'ok', (error: { type?: string }) => String(error.type));
        seen.add(answer);
        return answer === 'ok' && readRunRecord(layout(data), 'kube-apiserver')?.pid !== killed?.pid;
      }, 20_000);
    } finally {
      await kube.close();
    }
    expect([...seen].sort()).toEqual(['Unavailable', 'ok']);
    await until(async () => (await status({ data })).state === 'up', 20_000);
  }, 60_000);

  test('kill -9 of the supervisor: `status` says so, the next `up` clears and takes over, ports stay', async () => {
    const supervisor = readRunRecord(layout(data), 'supervisor');
    const before = readPlatform(data);
    const orphans = processesOf(before.instance);
    process.kill(supervisor?.pid ?? 0, 'SIGKILL');
    await until(async () => (await status({ data })).parts[0]?.state === 'down', 2_000);
    expect((await status({ data })).state).toBe('degraded');
    expect((await up({ data })).state).toBe('started');
    expect(readPlatform(data).ports).toEqual(before.ports);
    expect(processesOf(before.instance).filter((pid) => orphans.includes(pid))).toEqual([]);
    expect((await status({ data })).state).toBe('up');
  }, 60_000);

  test('a second data directory is up beside it, with ports and addresses of its own; `down` of one leaves the other', async () => {
    const other = newDataDir();
    await up({ data: other });
    const [mine, theirs] = [readPlatform(data), readPlatform(other)];
    const ports = [...Object.values(mine.ports), ...Object.values(theirs.ports)];
    expect(new Set(ports).size).toBe(ports.length);
    expect(theirs.loopback.services).not.toBe(mine.loopback.services);
    expect(theirs.loopback.podPrefix).not.toBe(mine.loopback.podPrefix);
    const result = await down({ data: other });
    expect(result).toMatchObject({ state: 'stopped', left: [] });
    expect(processesOf(theirs.instance)).toEqual([]);
    expect((await status({ data: other })).parts.every((part) => part.state === 'down')).toBe(true);
    expect((await status({ data })).state).toBe('up');
  }, 60_000);

  test('a port that was asked for and is taken is refused by name', async () => {
    const stranger = createServer();
    const port = await new Promise<number>((resolve) => stranger.listen(0, '127.0.0.1', () => resolve((stranger.address() as { port: number }).port)));
    try {
      const other = newDataDir();
      await expect(up({ data: other, gatewayPort: port })).rejects.toMatchObject({ type: 'PortTaken', message: expect.stringContaining(String(port)) });
      expect((await down({ data: other })).left).toEqual([]);
    } finally {
      stranger.close();
    }
  }, 30_000);

  test('`down` after a killed supervisor leaves no process either', async () => {
    const { instance } = readPlatform(data);
    // A pod of the node that only its record names, and a process that only its environment does.
    const [recorded, marked] = [{}, { ADORABLE_INSTANCE: instance }].map((more) =>
      spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env: { PATH: process.env['PATH'], ...more } }),
    );
    const pods = join(layout(data).node, 'pods');
    mkdirSync(pods, { recursive: true });
    writeFileSync(join(pods, 'left-over.json'), JSON.stringify({ uid: 'x', processes: { app: { ...identityOf(recorded?.pid ?? 0), pgid: recorded?.pid } } }));
    expect((await status({ data })).strays.map((stray) => stray.pid)).toEqual([marked?.pid]);
    process.kill(readRunRecord(layout(data), 'supervisor')?.pid ?? 0, 'SIGKILL');
    const result = await down({ data });
    expect(result.cleared).toBeGreaterThanOrEqual(PART_NAMES.length - 1);
    expect(result.left).toEqual([]);
    expect(processesOf(instance)).toEqual([]);
    for (const child of [recorded, marked]) expect(identityOf(child?.pid ?? 0)).toBeUndefined();
    expect(await down({ data })).toMatchObject({ state: 'already-down', cleared: 0 });
  }, 60_000);

  test('a data directory of another version is refused and nothing in it changes', async () => {
    const { version } = layout(data);
    writeFileSync(version, '999\n');
    const before = readdirSync(data);
    for (const command of [up, down, status]) await expect(command({ data })).rejects.toMatchObject({ type: 'DataDirectoryVersion' });
    expect(readdirSync(data)).toEqual(before);
    expect(readFileSync(version, 'utf8')).toBe('999\n');
    writeFileSync(version, '1\n');
  });
});

async function mayWorker(data: string, verb: string, resource: string, group: string): Promise<boolean> {
  const answer = await callKube(readPlatform(data), {
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    contentType: 'application/json',
    body: JSON.stringify({
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: 'adorable:worker', resourceAttributes: { verb, resource, group, namespace: 'adorable-x' } },
    }),
  });
  return (JSON.parse(answer.body) as { status: { allowed: boolean } }).status.allowed;
}
