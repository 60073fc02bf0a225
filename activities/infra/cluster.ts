/**
 * The namespace's verbs over the Kubernetes API: server-side apply by one field manager, deletes
 * with preconditions. The fence policy's refusal becomes `StaleFence`.
 */
import type { KubeClient } from '../../local/kube-client.ts';
import { kubeCode } from '../../local/kube-client.ts';
import { FENCE_POLICY } from '../../local/kube/fence-policy.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import { FENCE, FIELD_MANAGER } from '../../shared/manifests/names.ts';

/** The kinds a project's namespace is made of, in the order in which they are applied. */
const RESOURCES: Readonly<Record<string, { readonly apiVersion: string; readonly plural: string }>> = {
  ServiceAccount: { apiVersion: 'v1', plural: 'serviceaccounts' },
  LimitRange: { apiVersion: 'v1', plural: 'limitranges' },
  ResourceQuota: { apiVersion: 'v1', plural: 'resourcequotas' },
  NetworkPolicy: { apiVersion: 'networking.k8s.io/v1', plural: 'networkpolicies' },
  Secret: { apiVersion: 'v1', plural: 'secrets' },
  ConfigMap: { apiVersion: 'v1', plural: 'configmaps' },
  Service: { apiVersion: 'v1', plural: 'services' },
  Deployment: { apiVersion: 'apps/v1', plural: 'deployments' },
  Ingress: { apiVersion: 'networking.k8s.io/v1', plural: 'ingresses' },
};

/** Kinds that this project makes none of: whoever did loses them with the namespace, so they are looked for before one goes. */
const OTHERS: readonly (readonly [kind: string, path: string])[] = [
  ['Pod', 'api/v1/pods'], ['PersistentVolumeClaim', 'api/v1/persistentvolumeclaims'], ['StatefulSet', 'apis/apps/v1/statefulsets'], ['DaemonSet', 'apis/apps/v1/daemonsets'],
  ['ReplicaSet', 'apis/apps/v1/replicasets'], ['Job', 'apis/batch/v1/jobs'], ['CronJob', 'apis/batch/v1/cronjobs'], ['Role', 'apis/rbac.authorization.k8s.io/v1/roles'], ['RoleBinding', 'apis/rbac.authorization.k8s.io/v1/rolebindings'],
];

const ROUNDS = 10;

export const KINDS: readonly string[] = Object.keys(RESOURCES);

export interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

export interface LiveObject extends KubeObject {
  readonly metadata: KubeObject['metadata'] & {
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly managedFields?: readonly ManagedFields[];
  };
}

export interface Pod extends LiveObject {
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[];
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly restartCount: number;
      readonly state?: ContainerState;
      readonly lastState?: ContainerState;
    }[];
  };
}

interface ContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string };
  readonly terminated?: { readonly exitCode?: number; readonly reason?: string; readonly message?: string };
}

export interface Cluster {
  /** Undefined when it does not exist. */
  readNamespace(name: string): Promise<LiveObject | undefined>;
  read(kind: string, namespace: string, name: string): Promise<LiveObject | undefined>;
  /** One LIST. */
  list(kind: string, namespace: string): Promise<readonly LiveObject[]>;
  listPods(namespace: string): Promise<readonly Pod[]>;
  /** `Kind/name` of what is of a kind that we never make, unless it belongs to another object. */
  listOthers(namespace: string): Promise<readonly string[]>;
  apply(object: KubeObject, options?: { readonly dryRun?: boolean }): Promise<LiveObject>;
  patch(live: LiveObject, patch: object): Promise<LiveObject>;
  /** Under a fence: the object is marked with it first, and the delete holds for exactly that state. Absent is success. */
  remove(live: LiveObject, fence: number): Promise<void>;
}

export function createCluster(kube: Pick<KubeClient, 'request'>): Cluster {
  async function ask<T>(request: Parameters<KubeClient['request']>[0]): Promise<T> {
    try {
      return await kube.request<T>(request);
    } catch (error) {
      throw toFailure(error);
    }
  }

  async function maybe<T>(path: string): Promise<T | undefined> {
    try {
      return await ask<T>({ method: 'GET', path });
    } catch (error) {
      if (kubeCode(error) === 404) return undefined;
      throw error;
    }
  }

  const patch = async (live: LiveObject, body: object) =>
    await ask<LiveObject>({ method: 'PATCH', path: pathOf(live), patch: 'application/merge-patch+json', query: { fieldManager: FIELD_MANAGER }, body });

  return {
    patch,
    readNamespace: async (name) => await maybe(`/api/v1/namespaces/${name}`),
    read: async (kind, namespace, name) => await maybe(`${collection(kind, namespace)}/${name}`),

    async list(kind, namespace) {
      const { items } = await ask<{ items: LiveObject[] }>({ method: 'GET', path: collection(kind, namespace) });
      // Items of a LIST carry neither kind nor apiVersion.
      return items.map((item) => ({ ...item, kind, apiVersion: resourceOf(kind).apiVersion }));
    },

    async listPods(namespace) {
      const { items } = await ask<{ items: Pod[] }>({ method: 'GET', path: `/api/v1/namespaces/${namespace}/pods` });
      return items.map((item) => ({ ...item, kind: 'Pod', apiVersion: 'v1' }));
    },

    async listOthers(namespace) {
      const found = await Promise.all(OTHERS.map(async ([kind, path]) => {
        const { items } = await ask<{ items: { metadata: { name: string; ownerReferences?: readonly unknown[] } }[] }>({ method: 'GET', path: `/${path.replace(/\/([^/]+)$/, `/namespaces/${namespace}/$1`)}` });
        return items.filter(({ metadata }) => (metadata.ownerReferences ?? []).length === 0).map(({ metadata }) => `${kind}/${metadata.name}`);
      }));
      return found.flat().sort();
    },

    async apply(object, { dryRun = false } = {}) {
      try {
        return await ask<LiveObject>({
          method: 'PATCH', path: pathOf(object), patch: 'application/apply-patch+yaml', body: object,
          query: { fieldManager: FIELD_MANAGER, force: true, fieldValidation: 'Strict', dryRun: dryRun ? 'All' : undefined },
        });
      } catch (error) {
        // An apply makes what is absent: only its namespace can be what was not found.
        if (kubeCode(error) !== 404) throw error;
        throw new AdorableError('Contended', `Namespace ${object.metadata.namespace ?? ''} was deleted by someone else: it is made again.`, { cause: error });
      }
    },

    async remove(live, fence) {
      for (let round = 1; ; round++) {
        try {
          const { metadata } = await patch(live, { metadata: { uid: live.metadata.uid, annotations: { [FENCE]: String(fence) } } });
          await ask({
            method: 'DELETE', path: pathOf(live),
            body: { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions: { uid: metadata.uid, resourceVersion: metadata.resourceVersion } },
          });
          return;
        } catch (error) {
          if (kubeCode(error) === 404) return;
          // A controller wrote its status between the two; each round asks for the fence and the UID anew.
          if (round === ROUNDS || !(error instanceof AdorableError && error.type === 'Contended')) throw error;
        }
      }
    },
  };
}

function resourceOf(kind: string): { readonly apiVersion: string; readonly plural: string } {
  const resource = RESOURCES[kind];
  if (!resource) throw new AdorableError('InvariantViolated', `Objects of kind ${kind} are not ours to write.`);
  return resource;
}

function collection(kind: string, namespace: string): string {
  const { apiVersion, plural } = resourceOf(kind);
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}/namespaces/${namespace}/${plural}`;
}

function pathOf({ kind, metadata }: KubeObject): string {
  if (kind === 'Namespace') return `/api/v1/namespaces/${metadata.name}`;
  return `${collection(kind, metadata.namespace ?? '')}/${metadata.name}`;
}

function toFailure(error: unknown): unknown {
  if (!(error instanceof AdorableError) || !error.message.includes(`ValidatingAdmissionPolicy '${FENCE_POLICY}`)) return error;
  return new AdorableError('StaleFence', 'A newer operation holds the namespace: this write was refused by the API server.', { cause: error, details: error.details });
}
