/** A project's namespace as the Kubernetes API holds it: what is rendered there, and the pods that run. */
import type { KubeClient } from '../../local/kube-client.ts';
import { AdorableError } from '../../shared/errors.ts';
import { ENV_CHECKSUM, namespaceName } from '../../shared/manifests/names.ts';
import type { ProjectId } from '../../shared/ids.ts';

const KINDS: Readonly<Record<string, string>> = {
  Deployment: 'apis/apps/v1/namespaces/NS/deployments', Service: 'api/v1/namespaces/NS/services', Ingress: 'apis/networking.k8s.io/v1/namespaces/NS/ingresses',
  Secret: 'api/v1/namespaces/NS/secrets', ConfigMap: 'api/v1/namespaces/NS/configmaps', NetworkPolicy: 'apis/networking.k8s.io/v1/namespaces/NS/networkpolicies',
  ResourceQuota: 'api/v1/namespaces/NS/resourcequotas', LimitRange: 'api/v1/namespaces/NS/limitranges', ServiceAccount: 'api/v1/namespaces/NS/serviceaccounts',
};
/** Made in every namespace by Kubernetes itself. */
const ITS_OWN = new Set(['ConfigMap/kube-root-ca.crt']);

export interface NamespaceObjects {
  /** One line an object: its name and what it specifies. */
  readonly rendered: readonly string[];
  readonly uids: Readonly<Record<string, string>>;
  /** Whole, without Secrets' values, as text: where a secret would be looked for. */
  readonly text: string;
  readonly deployments: readonly { readonly name: string; readonly replicas: number }[];
  readonly pods: readonly { readonly name: string; readonly of: string; readonly ready: boolean }[];
  readonly gateway: string;
  /** What no text may hold. */
  readonly secrets: readonly string[];
}

interface KubeItem {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string; readonly labels?: Readonly<Record<string, string>>; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly data?: Readonly<Record<string, string>>;
  readonly status?: { readonly phase?: string; readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

export async function readNamespaceObjects(kube: KubeClient, projectId: ProjectId): Promise<NamespaceObjects> {
  const namespace = namespaceName(projectId);
  const list = async (path: string): Promise<readonly KubeItem[]> => (await kube.request<{ items: KubeItem[] }>({ method: 'GET', path: `/${path.replace('NS', namespace)}` })).items;
  const [own, pods, ...lists] = await Promise.all([
    kube.request<KubeItem>({ method: 'GET', path: `/api/v1/namespaces/${namespace}` }), list('api/v1/namespaces/NS/pods'), ...Object.values(KINDS).map(list),
  ]);
  const objects = Object.keys(KINDS).flatMap((kind, index) => (lists[index] ?? []).map((item) => ({ ref: `${kind}/${item.metadata.name}`, kind, item }))).filter(({ ref }) => !ITS_OWN.has(ref));
  return {
    rendered: objects.map(({ ref, kind, item }) => `${ref} ${kind === 'Secret' ? Object.keys(item.data ?? {}).sort().join() : describe(item.spec)}`).sort(),
    uids: Object.fromEntries(objects.map(({ ref, item }) => [ref, item.metadata.uid])),
    text: JSON.stringify([own, pods, objects.map(({ kind, item }) => (kind === 'Secret' ? { ...item, data: {} } : item))]),
    deployments: objects.filter(({ kind }) => kind === 'Deployment').map(({ item }) => ({ name: item.metadata.name, replicas: Number(item.spec?.['replicas'] ?? 0) })),
    pods: pods.map((pod) => ({
      name: pod.metadata.name, of: pod.metadata.labels?.['app.kubernetes.io/name'] ?? '',
      ready: pod.metadata.deletionTimestamp === undefined && (pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false),
    })),
    secrets: objects.filter(({ kind }) => kind === 'Secret').flatMap(({ item }) => Object.values(item.data ?? {})).flatMap((value) => secretsIn(Buffer.from(value, 'base64').toString('utf8'))),
    gateway: own.metadata.annotations?.['adorable.dev/gateway'] ?? '',
  };
}

/** The spec without what is given by the server or differs with the secrets' values. */
function describe(spec: Readonly<Record<string, unknown>> | undefined): string {
  const text = JSON.stringify(spec ?? {}, (key, value: unknown) => (['clusterIP', 'clusterIPs', ENV_CHECKSUM, 'kubectl.kubernetes.io/restartedAt'].includes(key) ? undefined : value));
  return text;
}

/** Passwords and tokens are long and of one word; those of the compute's roles stand in a list. */
export function secretsIn(value: string): string[] {
  if (/^[\w.+/=:$-]{32,}$/.test(value)) return [value];
  return [...value.matchAll(/"password":"([^"]+)"/g)].map((match) => match[1] ?? '');
}

export async function namespaceExists(kube: KubeClient, projectId: ProjectId): Promise<boolean> {
  try {
    await kube.request({ method: 'GET', path: `/api/v1/namespaces/${namespaceName(projectId)}` });
    return true;
  } catch (error) {
    if (error instanceof AdorableError && error.type === 'NotFound') return false;
    throw error;
  }
}
