/**
 * What a person does to a namespace with an API client: Deployments scaled and waited for, objects
 * applied. As the platform's admin and through `scale`, so that the product finds its objects as it
 * left them.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectKube } from '../../local/kube-client.ts';
import { kubeconfigPath } from '../../local/platform.ts';
import type { Platform } from '../../local/platform.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { namespaceName } from '../../shared/manifests/names.ts';

const POLL_MS = 10;
const LIMIT_MS = 120_000;

/** In the order of application. */
const KINDS = [
  ['v1', 'limitranges'], ['v1', 'resourcequotas'], ['networking.k8s.io/v1', 'networkpolicies'], ['v1', 'secrets'],
  ['v1', 'services'], ['apps/v1', 'deployments'], ['networking.k8s.io/v1', 'ingresses'],
] as const;
const KIND_NAMES: Readonly<Record<string, string>> = {
  limitranges: 'LimitRange', resourcequotas: 'ResourceQuota', networkpolicies: 'NetworkPolicy', secrets: 'Secret', services: 'Service', deployments: 'Deployment', ingresses: 'Ingress',
};

interface Live {
  readonly metadata: { readonly name: string; readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

interface Pod {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export interface PodsByHand {
  /** Milliseconds until the Deployments' pods are gone. */
  stop(names: readonly string[]): Promise<number>;
  /** Milliseconds until its pod is ready, or until `isUp` says so. */
  start(name: string, isUp?: () => Promise<boolean>): Promise<number>;
  /** Copies the namespace's objects, without running anything, for `apply`. */
  prepareApply(): Promise<void>;
  apply(round: number): Promise<number>;
  close(): Promise<void>;
}

export function podsByHand(platform: Platform, projectId: ProjectId): PodsByHand {
  const kube = connectKube(kubeconfigPath(platform.dataDir, 'admin'));
  const namespace = namespaceName(projectId);
  const copy = `bench-${projectId}`;
  const collection = (apiVersion: string, plural: string, where: string): string => `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/namespaces/${where}/${plural}`;
  let objects: (readonly { readonly path: string; readonly body: Live }[])[] = [];

  const scale = async (name: string, replicas: number): Promise<void> => {
    await kube.request({ method: 'PATCH', path: `${collection('apps/v1', 'deployments', namespace)}/${name}/scale`, patch: 'application/merge-patch+json', body: { spec: { replicas } } });
  };
  const podsOf = async (name: string): Promise<readonly Pod[]> =>
    (await kube.request<{ items: Pod[] }>({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods`, query: { labelSelector: `app.kubernetes.io/name=${name}` } })).items;
  const until = async (what: string, check: () => Promise<boolean>): Promise<void> => {
    for (const deadline = Date.now() + LIMIT_MS; !(await check()); await sleep(POLL_MS)) {
      if (Date.now() > deadline) throw new Error(`By hand: ${what} took longer than ${String(LIMIT_MS / 1000)} s.`);
    }
  };
  const isReady = (pod: Pod): boolean => pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true;

  return {
    async stop(names) {
      const began = performance.now();
      await Promise.all(names.map((name) => scale(name, 0)));
      for (const name of names) await until(`${name} stopping`, async () => (await podsOf(name)).length === 0);
      return performance.now() - began;
    },
    async start(name, isUp) {
      const began = performance.now();
      await scale(name, 1);
      await until(`${name} starting`, isUp ?? (async () => (await podsOf(name)).some(isReady)));
      return performance.now() - began;
    },
    async prepareApply() {
      await kube.request({ method: 'POST', path: '/api/v1/namespaces', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: copy } } });
      objects = await Promise.all(KINDS.map(async ([apiVersion, plural]) => {
        const { items } = await kube.request<{ items: Live[] }>({ method: 'GET', path: collection(apiVersion, plural, namespace) });
        return items.map((item) => ({ path: `${collection(apiVersion, plural, copy)}/${item.metadata.name}`, body: declared(item, { apiVersion, kind: KIND_NAMES[plural] ?? '', namespace: copy }) }));
      }));
      await this.apply(0);
    },
    async apply(round) {
      const began = performance.now();
      for (const kind of objects) {
        await Promise.all(kind.map(async ({ path, body }) => {
          const changed = { ...body, metadata: { ...body.metadata, annotations: { ...body.metadata.annotations, 'adorable.dev/bench': String(round) } } };
          await kube.request({ method: 'PATCH', path, patch: 'application/apply-patch+yaml', query: { fieldManager: 'bench', force: true }, body: changed });
        }));
      }
      return performance.now() - began;
    },
    close: async () => {
      await kube.request({ method: 'DELETE', path: `/api/v1/namespaces/${copy}` }).catch(() => undefined);
      await kube.close();
    },
  };
}

/** What somebody would have in a file: without what the server adds, and with nothing running. */
function declared({ metadata, status: _status, spec, ...rest }: Live, as: { apiVersion: string; kind: string; namespace: string }): Live {
  const { apiVersion, kind, namespace } = as;
  const { clusterIP: _ip, clusterIPs: _ips, ...kept } = (spec ?? {}) as Record<string, unknown>;
  const own = kind === 'Deployment' ? { ...kept, replicas: 0 } : kept;
  const { name, labels = {}, annotations = {} } = metadata;
  return { ...rest, apiVersion, kind, metadata: { name, namespace, labels, annotations } as Live['metadata'], ...(spec === undefined ? {} : { spec: own }) };
}
