/** The decisions of the infra activities that need no cluster, and the seal of secrets. */
import { describe, expect, test } from '@jest/globals';
import type { LiveObject, Pod } from '../../../activities/infra/cluster.ts';
import { adoptedFields, fingerprint, foreignSpecManagers, isAsRendered, withApplied } from '../../../activities/infra/compare.ts';
import { isUp, reasonOf } from '../../../activities/infra/pod-reason.ts';
import { createSeal } from '../../../activities/secrets/seal.ts';
import type { KubeObject } from '../../../shared/manifests/kube-object.ts';
import { fencePolicy } from '../../../local/kube/fence-policy.ts';

const checksum = createSeal('ab'.repeat(32)).checksum;
const desired: KubeObject = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a', annotations: { 'adorable.dev/fence': '3' } }, spec: { ports: [{ port: 1 }], selector: { a: 'b' } } };

function live(change: (spec: Record<string, unknown>) => void = () => undefined, managers: readonly object[] = []): LiveObject {
  const applied = structuredClone(withApplied(desired, checksum)) as unknown as LiveObject & { spec: Record<string, unknown> };
  change(applied.spec);
  return { ...applied, metadata: { ...applied.metadata, uid: 'u', resourceVersion: '1', managedFields: managers } } as LiveObject;
}

describe('isAsRendered', () => {
  test('what the server adds and a newer fence are no drift', () => {
    expect(isAsRendered({ ...desired, metadata: { name: 'a', annotations: { 'adorable.dev/fence': '9' } } }, live((spec) => { spec['clusterIP'] = '127.96.0.1'; }), checksum)).toBe(true);
  });

  test.each([
    ['a changed field', (spec: Record<string, unknown>) => { spec['selector'] = { a: 'c' }; }],
    ['a field taken away', (spec: Record<string, unknown>) => { delete spec['selector']; }],
    ['a longer list', (spec: Record<string, unknown>) => { spec['ports'] = [{ port: 1 }, { port: 2 }]; }],
  ])('%s is', (_name, change) => {
    expect(isAsRendered(desired, live(change), checksum)).toBe(false);
  });

  test('a field that we no longer render is', () => {
    const { spec, ...rest } = desired;
    expect(isAsRendered({ ...rest, spec: { ports: (spec as { ports: unknown }).ports } }, live(), checksum)).toBe(false);
  });

  test('another owner of the spec is; of metadata or status is not', () => {
    const by = (manager: string, field: string, subresource?: string) => ({ manager, operation: 'Update', fieldsV1: { [field]: {} }, ...(subresource ? { subresource } : {}) });
    expect(isAsRendered(desired, live(undefined, [by('kubectl-edit', 'f:spec')]), checksum)).toBe(false);
    expect(isAsRendered(desired, live(undefined, [by('kubectl', 'f:metadata'), by('kube-controller-manager', 'f:spec'), by('x', 'f:spec', 'status')]), checksum)).toBe(true);
  });
});

test('what others own is adopted, so that an apply can remove it', () => {
  const object = live(undefined, [
    { manager: 'adorable-runtime', operation: 'Apply', fieldsV1: { 'f:spec': { 'f:a': {} } } },
    { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:spec': { 'f:b': {} } } },
    { manager: 'kube-controller-manager', operation: 'Update', subresource: 'status', fieldsV1: { 'f:status': {} } },
  ]);
  const adopted = { ...object, metadata: { ...object.metadata, managedFields: adoptedFields(object) } };
  expect(foreignSpecManagers(adopted)).toEqual([]);
  expect(adopted.metadata.managedFields.map(({ manager, fieldsV1 }) => [manager, fieldsV1])).toEqual([
    ['adorable-runtime', { 'f:spec': { 'f:a': {}, 'f:b': {} } }], ['kube-controller-manager', { 'f:status': {} }],
  ]);
});

test("a Secret's digest depends on the master key, any other object's does not", () => {
  const other = createSeal('cd'.repeat(32)).checksum;
  const secret = { ...desired, kind: 'Secret', data: { a: 'b' } };
  expect(fingerprint(secret, checksum)).not.toBe(fingerprint(secret, other));
  expect(fingerprint(desired, checksum)).toBe(fingerprint(desired, other));
});

describe('pods', () => {
  const pod = (status: object): Pod => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'p', resourceVersion: '1' }, status } as unknown as Pod);
  const deployment = (status: object): LiveObject => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a', uid: 'u', resourceVersion: '1', generation: 2 }, status } as unknown as LiveObject);
  const up = { observedGeneration: 2, replicas: 1, updatedReplicas: 1, readyReplicas: 1 };

  test.each([
    ['ready', up, true], ['not yet seen', { ...up, observedGeneration: 1 }, false], ['beside an old one', { ...up, replicas: 2 }, false], ['the old one alone', { ...up, updatedReplicas: 0 }, false],
  ])('%s', (_name, status, expected) => { expect(isUp(deployment(status))).toBe(expected); });

  test.each([
    ['image', { containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no runner' } } }] }, 'ImagePullBackOff: no runner'],
    ['crash', { containerStatuses: [{ state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } }, lastState: { terminated: { message: 'boom' } } }] }, 'CrashLoopBackOff: boom'],
    ['probe', { containerStatuses: [{ state: { running: {} } }] }, 'NotReady: its readiness probe has not passed'],
    ['nowhere', { conditions: [{ type: 'PodScheduled', status: 'False', message: 'no nodes' }] }, 'Unschedulable: no nodes'],
  ])('a reason for %s', (_name, status, expected) => { expect(reasonOf(deployment({}), [pod(status)])).toBe(expected); });

  test('no pod at all: what the Deployment says', () => {
    expect(reasonOf(deployment({ conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }] }), [])).toBe('exceeded quota');
  });
});

describe('the seal', () => {
  const seal = createSeal('ab'.repeat(32));

  test('opens what it closed, in its place only, and never twice the same bytes', () => {
    const closed = seal.seal('sésame', 'p/a/1');
    expect(seal.open(closed, 'p/a/1')).toBe('sésame');
    expect(seal.seal('sésame', 'p/a/1').equals(closed)).toBe(false);
    expect(() => seal.open(closed, 'p/b/1')).toThrow(/p\/b\/1/);
    expect(() => createSeal('cd'.repeat(32)).open(closed, 'p/a/1')).toThrow(expect.objectContaining({ type: 'InvariantViolated' }));
    closed[closed.length - 1] = (closed.at(-1) ?? 0) ^ 1;
    expect(() => seal.open(closed, 'p/a/1')).toThrow(/does not open/);
  });

  test('a key that is none is refused', () => { expect(() => createSeal('short')).toThrow(/master key/); });
});

test('the fence policy uses the namespace in validations only', () => {
  expect(fencePolicy).toHaveLength(4);
  for (const { spec } of fencePolicy) expect(JSON.stringify('matchConditions' in spec ? spec.matchConditions : [])).not.toContain('namespaceObject');
});
