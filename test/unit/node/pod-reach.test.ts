/** What a pod may reach, decided from where paths lead and from its namespace's Services; never from what the app says (I8, I10). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPrepare } from '../../../local/node/prepare-container.ts';
import { reachOf, type ReachInput } from '../../../local/node/pod-reach.ts';
import { createServicePorts } from '../../../local/node/service-ports.ts';
import type { Container, Pod, Service } from '../../../local/node/kube-types.ts';
import { connectKube } from '../../../local/kube-client.ts';
import { layout } from '../../../local/paths.ts';
import type { Platform } from '../../../local/platform.ts';

const data = realpathSync(mkdtempSync(join(tmpdir(), 'adorable-reach-')));
const paths = layout(data);
const platform = { ports: { timeline: 21_000 }, engines: { node: '/engines/node', postgres: '/engines/postgres' } } as unknown as Platform;
const container: Container = { name: 'main', image: 'adorable.dev/app:1', ports: [{ name: 'main', containerPort: 3000 }] };
const tree = (project: string) => join(paths.projects, project, 'trees', 't1');
const ids = { TENANT_ID: 'a'.repeat(32), TIMELINE_ID: 'b'.repeat(32) };

beforeAll(() => {
  for (const project of ['mine', 'theirs']) mkdirSync(join(tree(project), 'apps', 'blog'), { recursive: true });
  mkdirSync(join(paths.deps, 'd1', 'node_modules'), { recursive: true });
  symlinkSync(join(paths.deps, 'd1', 'node_modules'), join(tree('mine'), 'apps', 'blog', 'node_modules'));
  symlinkSync(join(tree('theirs'), 'apps', 'blog'), join(tree('mine'), 'apps', 'link'));
  mkdirSync(join(tree('mine'), 'apps', 'vendored', 'node_modules'), { recursive: true });
  for (const name of ['pgdata', 'wal', 'bases']) mkdirSync(join(paths.timelines, ids.TENANT_ID, ids.TIMELINE_ID, name), { recursive: true });
});
afterAll(() => rmSync(data, { recursive: true, force: true }));

function service(name: string, component: string, port: number): Service {
  return { metadata: { name, namespace: 'adorable-mine', uid: `uid-${name}`, labels: { 'app.kubernetes.io/component': component } }, spec: { clusterIP: '127.64.0.9', ports: [{ port }] } } as unknown as Service;
}

const SERVICES = [service('neon-compute', 'compute', 5432), service('directus', 'service', 8055), service('app', 'app', 3000)];
const labelled = (labels: Record<string, string>) => ({ metadata: { name: 'app', namespace: 'adorable-mine', uid: 'pod', labels }, spec: { containers: [container] } }) as unknown as Pod;
const DATABASE = { 'adorable.dev/database': 'true' };

function input(more: Partial<ReachInput> = {}): ReachInput {
  return {
    kind: 'app', pod: labelled({}), container, projectId: 'mine', scratch: '/scratch', env: { TREE: tree('mine'), APP_SLUG: 'blog' },
    services: SERVICES, ports: createServicePorts('127.64.0.0/16'), platform, layout: paths, ...more,
  };
}

describe('an app', () => {
  test('reads its own directory and dependencies, writes its scratch, listens on its port', () => {
    expect(reachOf(input())).toEqual({
      read: [paths.runners, join(tree('mine'), 'apps', 'blog'), join(paths.deps, 'd1')], run: ['/engines/node'], write: ['/scratch'], bind: [3000], connect: [expect.any(Number)],
    });
  });

  test('connects to declared services, to the compute only with the label for it, and to no app', () => {
    const ports = createServicePorts('127.64.0.0/16');
    const [compute, directus] = SERVICES.map((each) => ports.portOf(each, each.spec.ports?.[0]?.port ?? 0));
    expect(reachOf(input({ ports })).connect).toEqual([directus]);
    expect(reachOf(input({ ports, pod: labelled(DATABASE) })).connect).toEqual([compute, directus]);
    expect(new Set([compute, directus]).size).toBe(2);
  });

  test.each([
    ['another project\'s tree', { TREE: tree('theirs'), APP_SLUG: 'blog' }],
    ['a link into another project\'s tree', { TREE: tree('mine'), APP_SLUG: 'link' }],
    ['a slug that climbs out', { TREE: tree('mine'), APP_SLUG: '../../../../theirs/trees/t1/apps/blog' }],
    ['the projects themselves', { TREE: join(paths.projects, '..'), APP_SLUG: '../projects' }],
    ['dependencies of its own making', { TREE: tree('mine'), APP_SLUG: 'vendored' }],
  ])('%s: not run', (_, env) => {
    expect(() => reachOf(input({ env }))).toThrow('nothing of it is run');
  });

  test('a tree that is missing is left for the runner to name', () => {
    expect(reachOf(input({ env: { TREE: '/nowhere', APP_SLUG: 'blog' } })).read).toEqual([paths.runners]);
  });
});

describe('a compute', () => {
  const writes = (env: Record<string, string>) => reachOf(input({ kind: 'compute', env })).write;

  test('writes its own timeline, and none that a strange id names', () => {
    const own = ['pgdata', 'wal', 'bases'].map((name) => join(paths.timelines, ids.TENANT_ID, ids.TIMELINE_ID, name));
    expect(writes(ids)).toEqual(['/scratch', '/dev/shm', ...own]);
    expect(writes({ ...ids, TIMELINE_ID: '../..' })).toEqual(['/scratch', '/dev/shm']);
    expect(reachOf(input({ kind: 'compute', env: ids })).connect).toEqual([21_000]);
  });
});

describe('ports of Services', () => {
  test('one each, the same every time, none for an app; a number that was given up is the last to come again', () => {
    const ports = createServicePorts('127.70.0.0/16');
    const [compute, directus, app] = SERVICES as [Service, Service, Service];
    const first = ports.portOf(compute, 5432);
    expect(ports.portOf(compute, 5432)).toBe(first);
    expect(ports.portOf(directus, 8055)).not.toBe(first);
    expect(ports.portOf(app, 3000)).toBeUndefined();
    expect(ports.seenBy(compute).spec.ports?.[0]?.port).toBe(first);
    expect(ports.seenBy(app).spec.ports?.[0]?.port).toBe(3000);
    ports.keep([directus]);
    expect(ports.portOf(compute, 5432)).not.toBe(first);
  });

  test('data directories side by side begin apart, and nobody leaves the range', () => {
    const firsts = Array.from({ length: 64 }, (_, at) => createServicePorts(`127.${String(64 + at)}.0.0/16`).portOf(SERVICES[0] as Service, 5432) ?? 0);
    expect(new Set(firsts).size).toBe(64);
    const last = createServicePorts('127.127.0.0/16');
    const given = Array.from({ length: 10_000 }, (_, at) => last.portOf(service(`s${String(at)}`, 'service', 80), 80) ?? 0);
    expect([new Set(given).size, Math.min(...given), Math.max(...given)]).toEqual([10_000, 10_000, 19_999]);
    expect(() => last.portOf(service('more', 'service', 80), 80)).toThrow('delete a project');
  });
});

describe('the command line of a pod', () => {
  async function prepared(contain: boolean) {
    writeFileSync(join(data, 'kubeconfig'), JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }], users: [{ name: 'u', user: {} }], contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], 'current-context': 'x' }));
    const kube = connectKube(join(data, 'kubeconfig'));
    const prepare = createPrepare({
      kube, platform, layout: paths, contain: contain ? { helper: '/engines/contain', ports: createServicePorts('127.64.0.0/16') } : undefined,
      runners: () => ({ kind: 'app', role: 'app', argv: () => Promise.resolve({ argv: ['/engines/node', 'main.mjs'], env: {} }) }),
      namespaces: () => [{ metadata: { name: 'adorable-mine', labels: { 'app.kubernetes.io/managed-by': 'adorable-runtime', 'adorable.dev/project': 'mine' } } }] as never,
      services: () => SERVICES, uidOf: () => Promise.resolve(undefined),
    });
    const asked: Container = { ...container, env: [{ name: 'TREE', value: tree('mine') }, { name: 'APP_SLUG', value: 'blog' }, { name: 'PGPORT', value: '$(NEON_COMPUTE_SERVICE_PORT)' }] };
    const result = await prepare(labelled(DATABASE), asked, { podIP: '10.244.0.2', address: '127.164.0.2', scratch: '/scratch' }, () => undefined);
    await kube.close();
    return result;
  }

  test('goes through the helper, with the compute\'s own port in the environment', async () => {
    const { argv, env } = await prepared(true);
    expect(argv[0]).toBe('/engines/contain');
    expect(argv.slice(argv.indexOf('--'))).toEqual(['--', '/engines/node', 'main.mjs']);
    expect(argv).toEqual(expect.arrayContaining(['--connect', env['PGPORT'] ?? '']));
    expect(env['PGPORT']).not.toBe('5432');
  });

  test('is the plain one where nothing can be contained: the platform works all the same', async () => {
    const { argv, env } = await prepared(false);
    expect(argv).toEqual(['/engines/node', 'main.mjs']);
    expect(env['PGPORT']).toBe('5432');
  });
});
