import { describe, expect, test } from '@jest/globals';
import { route, type World } from '../../../local/gateway/routes.ts';
import type { Ingress, Namespace, Pod, Service } from '../../../local/node/kube-types.ts';

let next = 0;
const metadata = (name: string, namespace?: string, more: object = {}) => ({ name, uid: String(next++), resourceVersion: '1', ...(namespace ? { namespace } : {}), ...more });
const namespace = (name: string, annotations = {}, labels: Record<string, string> = { 'app.kubernetes.io/managed-by': 'adorable-runtime', 'adorable.dev/project': name }): Namespace =>
  ({ metadata: metadata(name, undefined, { annotations, labels }) });
const ingress = (host: string, inNamespace: string, { creationTimestamp = '2026-01-01T00:00:00Z', paths = [['/', 'web']] as [string, string][] } = {}): Ingress => ({
  metadata: metadata(host, inNamespace, { creationTimestamp }),
  spec: { rules: [{ host, http: { paths: paths.map(([path, name]) => ({ path, pathType: 'Prefix', backend: { service: { name, port: { name: 'http' } } } })) } }] },
});
const service = (name: string, inNamespace: string): Service => ({ metadata: metadata(name, inNamespace), spec: { selector: { app: name }, ports: [{ name: 'http', port: 80, targetPort: 3000 }] } });
const pod = (app: string, inNamespace: string, podIP: string, { ready = true, deleted = false } = {}): Pod => ({
  metadata: metadata(`${app}-${podIP}`, inNamespace, { labels: { app }, ...(deleted ? { deletionTimestamp: 'now' } : {}) }),
  spec: { containers: [] },
  status: {
    podIP, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    containerStatuses: [{ name: 'c', image: 'i', imageID: 'i', ready, started: true, restartCount: 1, state: ready ? { running: { startedAt: 't' } } : { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode: 3, reason: 'Error', finishedAt: 't' } } }],
  },
});
const byUid = <T extends { metadata: { uid: string } }>(items: T[]) => new Map(items.map((item) => [item.metadata.uid, item]));
const world = (parts: { namespaces: Namespace[]; ingresses?: Ingress[]; services?: Service[]; pods?: Pod[] }): World =>
  ({ namespaces: byUid(parts.namespaces), ingresses: byUid(parts.ingresses ?? []), services: byUid(parts.services ?? []), pods: byUid(parts.pods ?? []) });

describe('route', () => {
  const base = { namespaces: [namespace('a')], ingresses: [ingress('web-a.test', 'a')], services: [service('web', 'a')] };

  test('a ready pod', () => {
    expect(route(world({ ...base, pods: [pod('web', 'a', '10.244.0.2')] }), 'web-a.test', '/')).toMatchObject({ kind: 'pod', podIP: '10.244.0.2', port: 3000 });
  });

  test('a pod of the same labels in another namespace is not an answer', () => {
    const found = route(world({ ...base, namespaces: [namespace('a'), namespace('b')], pods: [pod('web', 'b', '10.244.0.3')] }), 'web-a.test', '/');
    expect(found).toMatchObject({ kind: 'down', reason: 'no pod is running' });
  });

  test('an unready pod is named by its reason, a terminating one does not count', () => {
    expect(route(world({ ...base, pods: [pod('web', 'a', '10.244.0.2', { ready: false })] }), 'web-a.test', '/')).toMatchObject({ kind: 'down', reason: 'CrashLoopBackOff (last exit code 3)' });
    expect(route(world({ ...base, pods: [pod('web', 'a', '10.244.0.2', { deleted: true })] }), 'web-a.test', '/')).toMatchObject({ kind: 'down' });
  });

  test('an unknown host has no fallback, nor has a namespace that is not ours', () => {
    expect(route(world(base), 'x-a.test', '/')).toEqual({ kind: 'unknown' });
    expect(route(world({ ...base, namespaces: [namespace('a', {}, {})] }), 'web-a.test', '/')).toEqual({ kind: 'unknown' });
  });

  test('restoring wins over a ready pod', () => {
    const frozen = { ...base, namespaces: [namespace('a', { 'adorable.dev/gateway': 'restoring' })], pods: [pod('web', 'a', '10.244.0.2')] };
    expect(route(world(frozen), 'web-a.test', '/')).toEqual({ kind: 'restoring', namespace: 'a' });
  });

  test('two claims to one host: the older Ingress keeps it', () => {
    const found = route(world({
      namespaces: [namespace('b'), namespace('a')],
      ingresses: [ingress('web-a.test', 'b', { creationTimestamp: '2026-02-01T00:00:00Z' }), ingress('web-a.test', 'a')],
      services: [service('web', 'a'), service('web', 'b')], pods: [pod('web', 'b', '10.244.0.9'), pod('web', 'a', '10.244.0.2')],
    }), 'web-a.test', '/');
    expect(found).toMatchObject({ namespace: 'a', podIP: '10.244.0.2' });
  });

  test('the longest path wins, and a prefix ends at a slash', () => {
    const parts = { namespaces: [namespace('a')], ingresses: [ingress('h', 'a', { paths: [['/', 'web'], ['/api', 'api']] })], services: [service('web', 'a'), service('api', 'a')], pods: [pod('web', 'a', '10.244.0.2'), pod('api', 'a', '10.244.0.3')] };
    const ip = (path: string) => (route(world(parts), 'h', path) as { podIP: string }).podIP;
    expect([ip('/'), ip('/api'), ip('/api/x'), ip('/apix')]).toEqual(['10.244.0.2', '10.244.0.3', '10.244.0.3', '10.244.0.2']);
  });
});
