/** The infra activities on a real API server with the fence policy and a real inventory; the world is read as an administrator. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProjectId } from '../../shared/ids.ts';
import { AFTER, app, at, BEFORE, moment, namesOf, objectsOf, startInfraWorld } from '../unit/infra/infra-world.ts';
import type { InfraWorld } from '../unit/infra/infra-world.ts';

let world: InfraWorld;
beforeAll(async () => { world = await startInfraWorld(); }, 120_000);
afterAll(async () => { await world?.stop(); }, 60_000);

const writes = () => world.requests.filter((request) => !request.startsWith('GET'));
const replicas = async (projectId: ProjectId) => Object.fromEntries((await objectsOf(world, projectId, 'Deployment')).map((object) => [object.metadata.name, (object['spec'] as { replicas: number }).replicas]));
const path = (projectId: ProjectId, name: string) => `/apis/apps/v1/namespaces/adorable-${projectId}/deployments/${name}`;

/** Provisioned, then the finance app generated and running. */
async function running(projectId: ProjectId) {
  const fenced = await world.hold(projectId, 1);
  const before = moment(world, `before${projectId.slice(-4)}`, BEFORE);
  await world.infra.ensureNamespace(fenced);
  await world.infra.ensureSecrets({ ...fenced, moment: before });
  await world.infra.startCompute(at(fenced, before));
  await world.infra.convergeInfra({ ...at(fenced, before), keepRunning: true });
  const tiers = await world.infra.startTiers(at(fenced, before));
  await world.infra.open(fenced);
  return { fenced, before, after: moment(world, `xfter${projectId.slice(-4)}`, AFTER), tiers };
}

describe('the story of a project', () => {
  const project = 'storyaaaaa' as ProjectId;

  test('provisioned, generated, a second app beside it, undone and redone', async () => {
    const { before, after, tiers } = await running(project);
    expect(tiers).toEqual({ healthy: ['app', 'neon-compute'], degraded: [] });
    expect(await replicas(project)).toEqual({ app: 1, 'neon-compute': 1 });
    const pod = (await objectsOf(world, project, 'Pod')).find((object) => object.metadata.labels?.['app.kubernetes.io/name'] === 'app');

    // A generation: what runs goes on running, what is new waits for its tier.
    const second = await world.hold(project, 2);
    await world.infra.ensureNamespace(second);
    await world.infra.startCompute(at(second, after));
    const converged = await world.infra.convergeInfra({ ...at(second, after), keepRunning: true });
    expect(converged).toMatchObject({ deleted: 0, tornDown: [], deprovisioned: [] });
    expect(await replicas(project)).toEqual({ app: 1, 'app-blog': 0, directus: 0, 'neon-compute': 1 });
    expect(await world.infra.startTiers(at(second, after))).toEqual({ healthy: ['app', 'app-blog', 'directus', 'neon-compute'], degraded: [] });
    // Its tree changed, so it is another pod.
    expect((await objectsOf(world, project, 'Pod')).map((object) => object.metadata.uid)).not.toContain(pod?.metadata.uid);
    await world.infra.seedServices({ ...second, services: ['directus'] });
    expect(world.steps).toEqual(['before directus with 5432', 'seed 8055 64']);
    expect(await world.infra.readNamespace({ projectId: project, moment: after, running: true })).toMatchObject({ differences: [] });

    // Undo: frozen, then the moment before on a fork.
    const third = await world.hold(project, 3);
    world.asked.length = 0;
    await world.infra.freeze({ ...at(third, after), computeNext: false });
    const frozen = await world.admin.request<{ metadata: { annotations: Record<string, string> } }>({ method: 'GET', path: `/api/v1/namespaces/adorable-${project}` });
    expect(frozen.metadata.annotations).toMatchObject({ 'adorable.dev/fence': '3', 'adorable.dev/gateway': 'restoring' });
    expect(await replicas(project)).toEqual({ app: 0, 'app-blog': 0, directus: 0, 'neon-compute': 1 });
    expect((await objectsOf(world, project, 'Pod')).map((object) => object.metadata.labels?.['app.kubernetes.io/name'])).toEqual(['neon-compute']);
    expect(world.asked).toEqual(['aaaa admin 3', 'await admin']);
    expect(await world.infra.stopCompute(at(third, after))).toEqual({ lsn: '0/2000' });
    expect(await namesOf(world, project, 'Pod')).toEqual([]);

    const back = { ...before, timelineId: after.timelineId.replaceAll('a', 'b') as typeof after.timelineId };
    await world.infra.startCompute(at(third, back));
    expect(world.asked.slice(2)).toEqual(['seal aaaa', 'unseal bbbb', 'bbbb admin 3']);
    const undone = await world.infra.convergeInfra({ ...at(third, back), keepRunning: false });
    expect(undone).toMatchObject({ tornDown: ['app-blog'], deprovisioned: ['directus'] });
    expect(await namesOf(world, project, 'Deployment')).toEqual(['app', 'neon-compute']);
    expect(await namesOf(world, project, 'Ingress')).toEqual(['app']);
    expect(await namesOf(world, project, 'Service')).toEqual(['app', 'neon', 'neon-compute']);
    expect(await namesOf(world, project, 'Secret')).toEqual(['app-personal-finance-env', 'neon-compute-env', 'neon-compute-roles']);
    expect(await world.infra.readNamespace({ projectId: project, moment: back, running: false })).toMatchObject({ differences: [] });
    expect(await world.infra.startTiers(at(third, back))).toEqual({ healthy: ['app', 'neon-compute'], degraded: [] });
    await world.infra.open(third);

    // Redo: regenerated from the spec.
    const fourth = await world.hold(project, 4);
    await world.infra.freeze({ ...at(fourth, back), computeNext: false });
    await world.infra.startCompute(at(fourth, after));
    await world.infra.convergeInfra({ ...at(fourth, after), keepRunning: false });
    expect((await world.infra.startTiers(at(fourth, after))).healthy).toEqual(['app', 'app-blog', 'directus', 'neon-compute']);
    await world.infra.open(fourth);
  });
});

describe('a converge that changes nothing', () => {
  test('reads one LIST per kind and writes nothing, whatever the fence', async () => {
    const project = 'noopaaaaaa' as ProjectId;
    const { before } = await running(project);
    const next = await world.hold(project, 2);
    world.requests.length = 0;
    const began = performance.now();
    const result = await world.infra.convergeInfra({ ...at(next, before), keepRunning: true });
    process.stderr.write(`no-op converge ${String(Math.round(performance.now() - began))} ms, ${String(world.requests.length)} requests\n`);
    expect(result).toMatchObject({ created: 0, configured: 0, deleted: 0 });
    expect(writes()).toEqual([]);
    const lists = world.requests.filter((request) => !request.endsWith('/pods'));
    expect(new Set(lists).size).toBe(lists.length);
  });
});

describe('what others did', () => {
  const project = 'handaaaaaa' as ProjectId;

  test('a Deployment edited by hand is put right', async () => {
    const { fenced, before } = await running(project);
    await world.admin.request({
      method: 'PATCH', path: path(project, 'app'), patch: 'application/json-patch+json', query: { fieldManager: 'kubectl-edit' },
      body: [
        { op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'example.org/other:1' },
        { op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: 'EXTRA', value: '1' } },
        { op: 'add', path: '/spec/template/spec/containers/-', value: { name: 'sidecar', image: 'example.org/sidecar:1' } },
      ],
    });
    expect((await world.infra.readNamespace({ projectId: project, moment: before, running: false })).differences).toEqual([{ store: 'namespace', what: 'Deployment/app', expected: 'as rendered', found: 'changed' }]);
    expect(await world.infra.convergeInfra({ ...at(fenced, before), keepRunning: true })).toMatchObject({ created: 0, configured: 1 });
    const [live] = (await objectsOf(world, project, 'Deployment')).filter((object) => object.metadata.name === 'app');
    const { containers } = (live?.['spec'] as { template: { spec: { containers: { image: string; env: { name: string }[] }[] } } }).template.spec;
    expect(containers).toHaveLength(1);
    expect(containers[0]?.image).toBe('adorable.dev/app:1');
    expect(containers[0]?.env.map(({ name }) => name)).not.toContain('EXTRA');
    expect(await world.infra.convergeInfra({ ...at(fenced, before), keepRunning: true })).toMatchObject({ configured: 0 });
  });

  test('a foreign object is left alone; one under a name of ours is refused by name', async () => {
    const { fenced, before, after } = await running('foreignaaa' as ProjectId);
    const id = fenced.projectId;
    const make = async (name: string) => await world.admin.request({
      method: 'POST', path: `/api/v1/namespaces/adorable-${id}/services`, body: { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 1 }] } },
    });
    await make('stranger');
    await world.infra.convergeInfra({ ...at(fenced, before), keepRunning: true });
    expect(await namesOf(world, id, 'Service')).toContain('stranger');
    await make('app-blog');
    await expect(world.infra.convergeInfra({ ...at(fenced, after), keepRunning: true })).rejects.toMatchObject({ type: 'OwnershipConflict', message: expect.stringContaining('Service/app-blog') });
  });

  test('what is not ours is named before a restore; what is in its way is refused by name', async () => {
    const { fenced, before, after } = await running('surveyaaaa' as ProjectId);
    const id = fenced.projectId;
    await world.infra.ensureSecrets({ ...fenced, moment: after });
    const moments = [{ moment: before, declared: BEFORE }, { moment: after, declared: AFTER }];
    expect(await world.infra.surveyNamespace(id, moments)).toEqual([]);
    const make = async (name: string) => await world.admin.request({ method: 'POST', path: `/api/v1/namespaces/adorable-${id}/services`, body: { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 1 }] } } });
    await make('stranger');
    expect(await world.infra.surveyNamespace(id, moments)).toEqual(['Service/stranger was made by someone else: it is left alone']);
    expect(await world.infra.readNamespace({ projectId: id, moment: before, running: false })).toMatchObject({ differences: [], foreign: ['Service/stranger'] });
    await make('app-blog');
    await expect(world.infra.surveyNamespace(id, moments)).rejects.toMatchObject({ type: 'PreconditionFailed', message: expect.stringContaining('Service/app-blog') as unknown });
    expect(await world.infra.surveyNamespace(id, moments.slice(0, 1))).toHaveLength(2);
  });

  test('a Service whose address may not change, and a Secret that was made immutable, are made again', async () => {
    const { fenced, before } = await running('fixedaaaaa' as ProjectId);
    const id = fenced.projectId;
    const at1 = (plural: string, name: string) => `/api/v1/namespaces/adorable-${id}/${plural}/${name}`;
    const [service] = (await objectsOf(world, id, 'Service')).filter((object) => object.metadata.name === 'app');
    await world.admin.request({ method: 'DELETE', path: at1('services', 'app') });
    await world.admin.request({ method: 'POST', path: at1('services', 'app').replace(/\/app$/, ''), body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'app', labels: service?.metadata.labels }, spec: { clusterIP: 'None', ports: [{ name: 'main', port: 1 }] } } });
    await world.admin.request({ method: 'PATCH', path: at1('secrets', 'app-personal-finance-env'), patch: 'application/merge-patch+json', query: { fieldManager: 'kubectl-edit' }, body: { immutable: true, data: { EXTRA: 'eA==' } } });
    expect(await world.infra.convergeInfra({ ...at(fenced, before), keepRunning: true })).toMatchObject({ created: 2 });
    const made = await world.admin.request<{ spec: { clusterIP: string } }>({ method: 'GET', path: at1('services', 'app') });
    expect(made.spec.clusterIP).toMatch(/^\d/);
    expect(await world.infra.readNamespace({ projectId: id, moment: before, running: false })).toMatchObject({ differences: [] });
  });

  test('a Deployment with another selector is made again', async () => {
    const id = 'immutaaaaa' as ProjectId;
    const { fenced, before } = await running(id);
    const [live] = (await objectsOf(world, id, 'Deployment')).filter((object) => object.metadata.name === 'app');
    await world.admin.request({ method: 'DELETE', path: path(id, 'app') });
    const labels = { old: 'selector' };
    await world.admin.request({
      method: 'POST', path: path(id, 'app').replace(/\/app$/, ''),
      body: { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'app', labels: live?.metadata.labels }, spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'x' }] } } } },
    });
    expect(await world.infra.convergeInfra({ ...at(fenced, before), keepRunning: true })).toMatchObject({ created: 1 });
    expect(await world.infra.readNamespace({ projectId: id, moment: before, running: false })).toMatchObject({ differences: [] });
  });
});

describe('a namespace that someone else deletes', () => {
  const namespace = (id: ProjectId) => `/api/v1/namespaces/adorable-${id}`;
  const isThere = async (id: ProjectId) => await world.admin.request({ method: 'GET', path: namespace(id) }).then(() => true, () => false);

  test('before a restore: named, a difference, and made again closed to traffic, with everything in it; not by an operation that was overtaken', async () => {
    const id = 'vanishaaaa' as ProjectId;
    const { fenced: old, before } = await running(id);
    await world.admin.request({ method: 'DELETE', path: namespace(id) });
    while (await isThere(id)) await sleep(50);
    expect(await world.infra.surveyNamespace(id, [{ moment: before, declared: BEFORE }])).toEqual([expect.stringContaining('someone deleted it, and the restore makes it again')]);
    expect((await world.infra.readNamespace({ projectId: id, moment: before, running: true })).differences).toContainEqual({ store: 'namespace', what: `Namespace/adorable-${id}`, expected: 'present', found: 'absent' });
    const next = await world.hold(id, 2);
    await expect(world.infra.startCompute(at(old, before))).rejects.toMatchObject({ type: 'StaleFence' });
    await expect(world.infra.startTiers(at(old, before))).rejects.toMatchObject({ type: 'StaleFence' });
    expect(await isThere(id)).toBe(false);
    await world.infra.freeze({ ...at(next, before), computeNext: true });
    const made = await world.admin.request<{ metadata: { annotations: Record<string, string> } }>({ method: 'GET', path: namespace(id) });
    expect(made.metadata.annotations).toMatchObject({ 'adorable.dev/fence': '2', 'adorable.dev/gateway': 'restoring' });
    await world.infra.stopCompute(at(next, before));
    expect(await namesOf(world, id, 'Pod')).toEqual([]);
    await world.infra.startCompute(at(next, before));
    await world.infra.convergeInfra({ ...at(next, before), keepRunning: false });
    expect(await world.infra.startTiers(at(next, before))).toEqual({ healthy: ['app', 'neon-compute'], degraded: [] });
    await world.infra.open(next);
    expect(await world.infra.readNamespace({ projectId: id, moment: before, running: true })).toMatchObject({ differences: [] });
  }, 60_000);

  test('in the middle: whatever step comes next waits for its end, then makes it again, also after the moment is final', async () => {
    const id = 'midwayaaaa' as ProjectId;
    const { fenced, before } = await running(id);
    const finalizer = (finalizers: string[]) => world.admin.request({ method: 'PATCH', path: `${namespace(id)}/configmaps/held`, patch: 'application/merge-patch+json', body: { metadata: { finalizers } } });
    await world.admin.request({ method: 'POST', path: `${namespace(id)}/configmaps`, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.org/held'] } } });
    await world.admin.request({ method: 'DELETE', path: namespace(id) });
    const waits = { type: 'Contended', message: expect.stringContaining('made again once it is gone') as unknown };
    await expect(world.infra.freeze({ ...at(fenced, before), computeNext: true })).rejects.toMatchObject(waits);
    await expect(world.infra.startCompute(at(fenced, before))).rejects.toMatchObject(waits);
    await expect(world.infra.convergeInfra({ ...at(fenced, before), keepRunning: false })).rejects.toMatchObject(waits);
    await expect(world.infra.startTiers(at(fenced, before))).rejects.toMatchObject(waits);
    await finalizer([]);
    while (await isThere(id)) await sleep(50);
    expect(await world.infra.startTiers(at(fenced, before))).toEqual({ healthy: ['app', 'neon-compute'], degraded: [] });
    await world.infra.open(fenced);
    expect(await world.infra.readNamespace({ projectId: id, moment: before, running: true })).toMatchObject({ differences: [] });
  }, 60_000);
});

describe('the fence', () => {
  test('an operation that was overtaken is refused by the API server and by the inventory', async () => {
    const project = 'fenceaaaaa' as ProjectId;
    const { fenced: old, before, after } = await running(project);
    const newer = await world.hold(project, 5);
    const began = performance.now();
    await world.infra.ensureNamespace(newer);
    process.stderr.write(`fence raised and proven in ${String(Math.round(performance.now() - began))} ms\n`);
    await expect(world.infra.stopCompute(at(old, before))).rejects.toMatchObject({ type: 'StaleFence' });
    await expect(world.infra.open(old)).rejects.toMatchObject({ type: 'StaleFence' });
    await expect(world.infra.convergeInfra({ ...at(old, after), keepRunning: true })).rejects.toMatchObject({ type: 'StaleFence' });
    await expect(world.infra.deleteNamespace(old)).rejects.toMatchObject({ type: 'StaleFence' });
    expect(await replicas(project)).toEqual({ app: 1, 'neon-compute': 1 });
    await world.infra.convergeInfra({ ...at(newer, before), keepRunning: true });

    // Every operation takes the namespace with its first write, also one that never ensures it.
    const next = await world.hold(project, 6);
    await world.infra.startCompute(at(next, before));
    await expect(world.infra.startCompute(at(newer, before))).rejects.toMatchObject({ type: 'StaleFence' });
    await expect(world.infra.stopCompute(at(newer, before))).rejects.toMatchObject({ type: 'StaleFence' });
  });
});

describe('secrets', () => {
  test('are made once; a rotated one restarts only who has it, and no value stands outside a Secret', async () => {
    const project = 'rotateaaaa' as ProjectId;
    const { fenced, after } = await running(project);
    await world.infra.convergeInfra({ ...at(fenced, after), keepRunning: true });
    await world.infra.startTiers(at(fenced, after));
    const values = await world.store.readSecrets(project);
    await world.infra.ensureSecrets({ ...fenced, moment: after });
    expect(await world.store.readSecrets(project)).toEqual(values);
    const checksums = async () => Object.fromEntries((await objectsOf(world, project, 'Deployment')).map((object) =>
      [object.metadata.name, (object['spec'] as { template: { metadata: { annotations: Record<string, string> } } }).template.metadata.annotations['adorable.dev/env-checksum']]));
    const before = await checksums();
    const name = `app/${BEFORE.apps[0]?.id ?? ''}/PGPASSWORD`;
    expect(await world.store.rotateSecret(project, name, 'f'.repeat(48))).toEqual({ version: 2 });
    await world.infra.convergeInfra({ ...at(fenced, after), keepRunning: true });
    const changed = Object.entries(await checksums()).filter(([deployment, sum]) => before[deployment] !== sum).map(([deployment]) => deployment);
    expect(changed).toEqual(['app']);

    const all = JSON.stringify(await Promise.all(['Deployment', 'Service', 'Ingress', 'Pod', 'ConfigMap'].map((kind) => objectsOf(world, project, kind))));
    for (const value of Object.values(await world.store.readSecrets(project))) expect(all).not.toContain(value);
    const [row] = await world.database.query<{ ciphertext: Buffer }>('SELECT ciphertext FROM project_secrets WHERE project_id = $1 AND name = $2 AND version = 2', [project, name]);
    expect(row?.ciphertext.includes('f'.repeat(48))).toBe(false);
  });
});

describe('pods that do not come up', () => {
  test('are answered with their own reason, clear of secrets', async () => {
    const project = 'crashaaaaa' as ProjectId;
    const { fenced, before } = await running(project);
    const password = (await world.store.readSecrets(project))[`app/${BEFORE.apps[0]?.id ?? ''}/PGPASSWORD`] ?? '';
    world.kubelet.crashing.set('app', `cannot log in with ${password}`);
    await world.infra.freeze({ ...at(fenced, before), computeNext: true });
    const result = await world.infra.startTiers(at(fenced, before));
    world.kubelet.crashing.delete('app');
    expect(result).toEqual({ healthy: ['neon-compute'], degraded: [{ name: 'app', reason: 'CrashLoopBackOff: cannot log in with …' }] });
  });
});

describe('interrupted', () => {
  test('a create whose reply was lost is found again and can be pruned', async () => {
    const project = 'lostaaaaaa' as ProjectId;
    const { fenced, before, after } = await running(project);
    await world.infra.convergeInfra({ ...at(fenced, after), keepRunning: true });
    await world.database.query(`UPDATE inventory SET state = 'intent', uid = NULL WHERE project_id = $1 AND name IN ('app-blog', 'directus')`, [project]);
    expect(await world.infra.convergeInfra({ ...at(fenced, before), keepRunning: true })).toMatchObject({ tornDown: ['app-blog'], deprovisioned: ['directus'] });
    expect(await namesOf(world, project, 'Deployment')).toEqual(['app', 'neon-compute']);
  });
});

describe('the end', () => {
  test('the namespace goes with everything in it, and a repeat finds nothing to do', async () => {
    const project = 'goneaaaaaa' as ProjectId;
    const { fenced } = await running(project);
    await world.infra.deleteNamespace(fenced);
    await expect(world.admin.request({ method: 'GET', path: `/api/v1/namespaces/adorable-${project}` })).rejects.toMatchObject({ type: 'NotFound' });
    expect(await world.database.query('SELECT FROM inventory WHERE project_id = $1', [project])).toEqual([]);
    expect(await world.store.readSecrets(project)).toEqual({});
    await world.infra.deleteNamespace(fenced);
  }, 60_000);

  test('somebody else\'s object keeps the namespace; only ours go', async () => {
    const project = 'keptaaaaaa' as ProjectId;
    const { fenced } = await running(project);
    await world.admin.request({ method: 'POST', path: `/api/v1/namespaces/adorable-${project}/configmaps`, body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'notes' }, data: { a: 'b' } } });
    await world.infra.deleteNamespace(fenced);
    expect(await namesOf(world, project, 'ConfigMap')).toEqual(['kube-root-ca.crt', 'notes']);
    expect(await namesOf(world, project, 'Deployment')).toEqual([]);
  });

  test('so does one of a kind that this project makes none of', async () => {
    const project = 'claimaaaaa' as ProjectId;
    const { fenced, before } = await running(project);
    await world.admin.request({
      method: 'POST', path: `/api/v1/namespaces/adorable-${project}/persistentvolumeclaims`,
      body: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } },
    });
    expect(await world.infra.readNamespace({ projectId: project, moment: before, running: true })).toMatchObject({ differences: [], foreign: ['PersistentVolumeClaim/data'] });
    await world.infra.deleteNamespace(fenced);
    expect(await namesOf(world, project, 'PersistentVolumeClaim')).toEqual(['data']);
    expect(await namesOf(world, project, 'Deployment')).toEqual([]);
  });

  test('a namespace that was never ours is refused', async () => {
    const project = 'alienaaaaa' as ProjectId;
    const fenced = await world.hold(project, 1);
    await world.admin.request({ method: 'POST', path: '/api/v1/namespaces', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: `adorable-${project}` } } });
    await expect(world.infra.ensureNamespace(fenced)).rejects.toMatchObject({ type: 'OwnershipConflict' });
    await world.infra.deleteNamespace(fenced);
  });
});

test('two projects do not touch each other', async () => {
  const [one, two] = ['twoonaaaaa' as ProjectId, 'twotwaaaaa' as ProjectId];
  await running(one);
  const other = await running(two);
  const uids = async () => (await objectsOf(world, one, 'Deployment')).map((object) => object.metadata.resourceVersion).sort();
  const before = await uids();
  const more = moment(world, 'more', { ...BEFORE, apps: [...BEFORE.apps, app('shop', 'react')] });
  await world.infra.convergeInfra({ ...at(other.fenced, more), keepRunning: true });
  expect(await uids()).toEqual(before);
});
