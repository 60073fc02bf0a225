/**
 * A hostile app and a hostile build on a whole platform (I8, I10): what they try to get at is got at first
 * from outside, so that a refusal means something, and the app goes on doing what apps do.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCheck } from '../../activities/producer/run-check.ts';
import { status } from '../../cli/platform/status.ts';
import { containment, isContained } from '../../local/containment/containment.ts';
import { connectKube, type KubeClient } from '../../local/kube-client.ts';
import { mirrorOf } from '../../local/node/pod-addresses.ts';
import { layout } from '../../local/paths.ts';
import { kubeconfigPath } from '../../local/platform.ts';
import { readRunRecord } from '../../local/supervisor/run-records.ts';
import { isRoot, projectUid } from '../../local/uids.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { containChecks, containHelper } from '../support/containment.ts';
import { countOf, HOSTILE, HOSTILE_PROGRAM, notDone, notRefused } from '../support/hostile.ts';
import type { Answers, Targets } from '../support/hostile.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { createProject, generate } from '../support/project.ts';

interface Pod { metadata: { name: string; uid: string; labels: Record<string, string> }; status: { podIP: string; conditions?: { type: string; status: string }[] } }
interface Template { metadata: { labels: Record<string, string> }; spec: { containers: { env: { name: string; value?: string }[] }[] } }

let platform: TestPlatform;
let kube: KubeClient;
let attacker: ProjectId;
let victim: ProjectId;
let helper: string | undefined;
let targets: Targets;
let slug = '';

beforeAll(async () => {
  helper = await containHelper();
  platform = await startPlatform({ directus: false });
  kube = connectKube(kubeconfigPath(platform.data, 'admin'));
  [attacker, victim] = await Promise.all([withApp('Attacker'), withApp('Victim')]);
  targets = await everythingElse();
}, 400_000);
afterAll(async () => {
  await kube?.close();
  await platform?.close();
}, 60_000);

async function withApp(name: string): Promise<ProjectId> {
  const projectId = await createProject(platform, name);
  await generate(platform, projectId, 'a personal finance tracker');
  return projectId;
}

const paths = () => layout(platform.data);
const get = async <T>(path: string) => await kube.request<T>({ method: 'GET', path });
const podOf = async (projectId: ProjectId, name: string): Promise<Pod> => {
  const { items } = await get<{ items: Pod[] }>(`/api/v1/namespaces/adorable-${projectId}/pods`);
  const found = items.find((pod) => pod.metadata.labels['app.kubernetes.io/name'] === name);
  if (found === undefined) throw new Error(`${projectId} has no pod ${name}`);
  return found;
};
const addressOf = (pod: Pod) => mirrorOf(pod.status.podIP, platform.open.platform.loopback.podPrefix);
const pidOf = (pod: Pod) => Object.values((JSON.parse(readFileSync(join(paths().node, 'pods', `${pod.metadata.uid}.json`), 'utf8')) as { processes: Record<string, { pid: number }> }).processes)[0]?.pid ?? 0;
const partPid = (part: 'supervisor' | 'worker' | 'kube-apiserver') => readRunRecord(paths(), part)?.pid ?? 0;
const serviceOf = async (projectId: ProjectId, name: string) => (await get<{ spec: { clusterIP: string } }>(`/api/v1/namespaces/adorable-${projectId}/services/${name}`)).spec.clusterIP;

/** What the app's own environment says of it: the test reads it as the kernel shows it. */
function environmentOf(pod: Pod): Record<string, string> {
  const lines = readFileSync(`/proc/${String(pidOf(pod))}/environ`, 'utf8').split('\0');
  return Object.fromEntries(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function everythingElse(): Promise<Targets> {
  const { data, open: { platform: { ports } } } = platform;
  const [theirs, theirCompute, ours, ourCompute] = await Promise.all([
    podOf(victim, 'app'), podOf(victim, 'neon-compute'), podOf(attacker, 'app'), podOf(attacker, 'neon-compute'),
  ]);
  const [theirEnv, ourEnv, theirDatabase] = [environmentOf(theirs), environmentOf(ours), environmentOf(theirCompute)];
  slug = ourEnv['APP_SLUG'] ?? '';
  const theirPage = join(theirEnv['TREE'] ?? '', 'apps', theirEnv['APP_SLUG'] ?? '', 'index.html');
  const processes = { 'the other project\'s app': pidOf(theirs), 'the other project\'s compute': pidOf(theirCompute), 'another app of its own user': pidOf(ours), 'its own compute': pidOf(ourCompute), 'the worker': partPid('worker'), 'the API server': partPid('kube-apiserver') };
  const local = (port: number) => ({ host: '127.0.0.1', port });
  return {
    read: {
      'the other project\'s served tree': theirPage,
      'the other project\'s repository': firstFile(join(paths().projects, victim, 'repo')),
      'its own repository': firstFile(join(paths().projects, attacker, 'repo')),
      'the other project\'s database files': join(paths().timelines, theirDatabase['TENANT_ID'] ?? '', theirDatabase['TIMELINE_ID'] ?? '', 'pgdata', 'PG_VERSION'),
      'the other project\'s log': join(paths().podLogs, `adorable-${victim}`, `${theirs.metadata.name}.log`),
      'the cluster\'s tokens': join(paths().kube, 'pki', 'tokens.csv'),
      'the administrator\'s kubeconfig': kubeconfigPath(data, 'admin'),
      'the cluster\'s signing key': join(paths().kube, 'pki', 'sa.key'),
      'the master key': join(paths().secrets, 'master.key'),
      'the database password': join(paths().secrets, 'postgres.password'),
      'the timeline server\'s token': join(paths().secrets, 'timeline.token'),
      'the platform\'s addresses': paths().platform,
      'the worker\'s log': join(paths().logs, 'worker.log'),
      'what the process node knows of pods': join(paths().node, 'pods', `${theirs.metadata.uid}.json`),
      ...(isRoot ? { 'the machine\'s password hashes': '/etc/shadow' } : {}),
    },
    list: { 'all projects': paths().projects, 'the data directory': data, 'a home': homedir(), 'the machine\'s temporary files': '/tmp', 'processes': '/proc' },
    write: {
      // Served trees are read-only for everybody but root.
      ...(isRoot ? { 'the other project\'s served tree': theirPage, 'its own served tree': join(ourEnv['TREE'] ?? '', 'apps', slug, 'index.html') } : {}),
      'the other project\'s branch': join(paths().projects, victim, 'repo', '.git', 'HEAD'), 'a log of the platform': join(paths().logs, 'node.log'), 'a runner': join(paths().runners, 'app', 'main.mjs'),
    },
    environ: processes,
    signal: processes,
    connect: {
      'the platform\'s database': local(ports.postgres), 'Temporal': local(ports.temporal), 'the Temporal Web UI': local(ports.temporalUi), 'the API server': local(ports.kube),
      'the timeline server': local(ports.timeline), 'the gateway': local(ports.gateway),
      'the other project\'s compute, as a pod': { host: addressOf(theirCompute), port: 5432 },
      'the other project\'s compute, as a Service': { host: await serviceOf(victim, 'neon-compute'), port: 5432 },
      'the other project\'s compute, at the port its own apps use': { host: theirEnv['PGHOST'] ?? '', port: Number(theirEnv['PGPORT']) },
      'the other project\'s app': { host: addressOf(theirs), port: 3000 },
      'etcd\'s socket': { path: join(paths().kube, 'etcd.sock') }, 'the supervisor\'s socket': { path: paths().socket },
    },
    bind: { 'a port that is not its own': { host: addressOf(ours), port: 5432 }, 'a wildcard address': { host: '0.0.0.0', port: await freePort() } },
    udp: { 'a name server': { host: '127.0.0.1', port: 53 } },
  };
}

function firstFile(dir: string): string {
  const found = readdirSync(dir, { recursive: true, withFileTypes: true }).find((entry) => entry.isFile());
  if (found === undefined) throw new Error(`no file in ${dir}`);
  return join(found.parentPath, found.name);
}

/** Asynchronous: this very process could be one of the targets' peers. */
async function fromOutside(wanted: Targets): Promise<Answers> {
  const program = join(platform.data, '..', 'outside.mjs');
  writeFileSync(program, HOSTILE_PROGRAM);
  const child = spawn(process.execPath, [program, JSON.stringify(wanted)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise((done) => child.once('close', done));
  return JSON.parse(output) as Answers;
}

/** A served tree of the attacker's project whose router runs hostile code before it answers. */
function serveHostileTree(from: string): string {
  const tree = join(paths().projects, attacker, 'trees', 'e'.repeat(40));
  cpSync(from, tree, { recursive: true, verbatimSymlinks: true });
  for (const dir of ['', 'apps', join('apps', slug), join('apps', slug, 'server')]) chmodSync(join(tree, dir), 0o755);
  const server = join(tree, 'apps', slug, 'server');
  renameSync(join(server, 'router.ts'), join(server, 'honest-router.ts'));
  writeFileSync(join(server, 'hostile.mjs'), `${HOSTILE}\nconsole.log('HOSTILE ' + JSON.stringify(await attempts(${JSON.stringify(targets)})));\n`);
  writeFileSync(join(server, 'router.ts'), `import './hostile.mjs';\nexport { appRouter } from './honest-router.ts';\n`);
  return tree;
}

async function runHostilePod(tree: string): Promise<Pod> {
  const { spec: { template } } = await get<{ spec: { template: Template } }>(`/apis/apps/v1/namespaces/adorable-${attacker}/deployments/app`);
  for (const variable of template.spec.containers[0]?.env ?? []) if (variable.name === 'TREE') variable.value = tree;
  const labels = { ...template.metadata.labels, 'app.kubernetes.io/name': 'hostile' };
  await kube.request({ method: 'POST', path: `/api/v1/namespaces/adorable-${attacker}/pods`, body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'hostile', labels }, spec: template.spec } });
  for (const deadline = Date.now() + 60_000; ; await sleep(100)) {
    const pod = await podOf(attacker, 'hostile');
    if (pod.status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')) return pod;
    if (Date.now() > deadline) throw new Error(`the hostile app did not become ready: ${logOfHostile()}`);
  }
}

const logOfHostile = () => readFileSync(join(paths().podLogs, `adorable-${attacker}`, 'hostile.log'), 'utf8');

test('what is tried is there to be got at', async () => {
  expect(notDone(await fromOutside(targets))).toEqual([]);
  expect(countOf(targets)).toBeGreaterThan(40);
}, 60_000);

test('status says what the platform proves about itself', async () => {
  const found = containment(platform.open.platform.engines.contain);
  expect((await status({ data: platform.data })).containment).toEqual({ ...found, contained: isContained(found) });
  expect(found.landlock !== undefined).toBe(helper !== undefined);
  expect(found.uid).toBe(isRoot);
});

test('every pod runs behind the helper, the compute too', async () => {
  const pods = await Promise.all([attacker, victim].map((projectId) => get<{ items: Pod[] }>(`/api/v1/namespaces/adorable-${projectId}/pods`)));
  const behind = pods.flatMap(({ items }) => items).map((pod) => {
    const text = readFileSync(`/proc/${String(pidOf(pod))}/status`, 'utf8');
    return [pod.metadata.labels['app.kubernetes.io/name'], /^NoNewPrivs:\t1$/m.test(text) && /^Seccomp:\t2$/m.test(text)];
  });
  expect(behind.map(([name]) => name).sort()).toEqual(['app', 'app', 'neon-compute', 'neon-compute']);
  expect(behind.filter(([, isBehind]) => isBehind !== (helper !== undefined))).toEqual([]);
});

describe('a hostile app', () => {
  test('is refused everything that is not its own, and works', async () => {
    if (helper === undefined) return;
    const pod = await runHostilePod(serveHostileTree(environmentOf(await podOf(attacker, 'app'))['TREE'] ?? ''));
    const line = logOfHostile().split('\n').find((text) => text.startsWith('HOSTILE '));
    const answers = JSON.parse(line?.slice('HOSTILE '.length) ?? '{}') as Answers;
    expect(notRefused(answers)).toEqual([]);
    expect(Object.keys(answers)).toHaveLength(countOf(targets));
    process.stderr.write(`containment: ${String(countOf(targets))} attempts of a hostile app refused ${isRoot ? 'under a uid of its own' : 'as the platform\'s own user'}\n`);

    // Its own port, its own compute, its page.
    const address = `http://${addressOf(pod)}:3000`;
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${address}/trpc/accounts.list`)).text()).toContain('balanceCents');
    expect(await (await fetch(`${address}/src/main.tsx`)).text()).toContain('import');
    expect(Number(environmentOf(pod)['PGPORT'])).not.toBe(5432);
  }, 120_000);

  test('a tree that is not its project\'s is not run', async () => {
    if (helper === undefined) return;
    const { spec: { template } } = await get<{ spec: { template: Template } }>(`/apis/apps/v1/namespaces/adorable-${attacker}/deployments/app`);
    const theirs = environmentOf(await podOf(victim, 'app'))['TREE'] ?? '';
    for (const variable of template.spec.containers[0]?.env ?? []) if (variable.name === 'TREE') variable.value = theirs;
    const labels = { ...template.metadata.labels, 'app.kubernetes.io/name': 'thief' };
    await kube.request({ method: 'POST', path: `/api/v1/namespaces/adorable-${attacker}/pods`, body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'thief', labels }, spec: template.spec } });
    for (const deadline = Date.now() + 20_000; ; await sleep(100)) {
      const found = await get<{ status: { containerStatuses?: { state: { waiting?: { reason: string; message?: string } } }[] } }>(`/api/v1/namespaces/adorable-${attacker}/pods/thief`);
      const waiting = found.status.containerStatuses?.[0]?.state.waiting;
      if (waiting?.reason === 'CreateContainerConfigError') {
        expect(waiting.message).toContain('no app in a served tree of this project');
        break;
      }
      expect(Date.now()).toBeLessThan(deadline);
    }
    await kube.request({ method: 'DELETE', path: `/api/v1/namespaces/adorable-${attacker}/pods/thief` });
  }, 30_000);
});

describe('a hostile build', () => {
  test('code that a type-check or a build runs reaches its app, its dependencies and a home, and no network', async () => {
    const contain = await containChecks();
    if (contain === undefined) return;
    const { node } = platform.open.platform.engines;
    const scratchDir = join(paths().projects, attacker, 'scratch', 'hostile');
    const app = join(scratchDir, 'apps', slug);
    const dependencies = join(paths().deps, 'hostile', 'node_modules');
    const bundler = join(dependencies, 'vite', 'dist', 'node');
    mkdirSync(bundler, { recursive: true });
    mkdirSync(app, { recursive: true });
    writeFileSync(join(app, 'index.html'), '<!doctype html>');
    writeFileSync(join(dependencies, 'vite', 'package.json'), '{"type":"module"}');
    symlinkSync(dependencies, join(app, 'node_modules'));
    const ours = { read: { 'its own app': join(app, 'index.html') }, list: { 'its dependencies': dependencies } };
    // What the check loads first is the app's bundler: whatever stands there is run.
    writeFileSync(join(bundler, 'index.js'), `${HOSTILE}
      const answers = { refused: await attempts(${JSON.stringify({ ...targets, connect: { ...targets.connect, 'its own compute': { host: await serviceOf(attacker, 'neon-compute'), port: 5432 } } })}), done: await attempts({ ...${JSON.stringify(ours)}, write: { home: process.env.HOME + '/file' } }) };
      process.stdout.write(JSON.stringify({ ok: false, ms: 0, errors: [{ kind: 'internal', file: '', line: 0, message: JSON.stringify(answers) }] }) + '\\n', () => process.exit(1));
      await new Promise(() => undefined);`);
    const uid = await projectUid(platform.data, attacker, 'app');
    if (uid !== undefined) for (const path of [scratchDir, join(paths().deps, 'hostile')]) spawnSync('chmod', ['-R', 'a+rX', path]);
    const outcome = await runCheck({ node, runner: join(paths().runners, 'check', 'main.mjs'), scratchDir, slug, uid, contain, heartbeat: () => undefined });
    const answers = JSON.parse(outcome.errors[0]?.message ?? '{}') as { refused: Answers; done: Answers };
    expect(notRefused(answers.refused)).toEqual([]);
    expect(Object.keys(answers.refused)).toHaveLength(countOf(targets) + 1);
    expect(notDone(answers.done)).toEqual([]);
    process.stderr.write(`containment: ${String(countOf(targets) + 1)} attempts of a hostile build refused\n`);
    for (const path of [scratchDir, join(paths().deps, 'hostile')]) rmSync(path, { recursive: true });
    expect(existsSync(scratchDir)).toBe(false);
  }, 60_000);
});
