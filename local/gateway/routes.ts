/**
 * Host → Ingress → Service → ready pod, from what the Kubernetes API last said. An unknown host or
 * a Service without a ready pod has no fallback (I4), and only namespaces of ours are routed (I6).
 */
import { isManaged, PROJECT_LABEL, resolvePort, selects, type Ingress, type Namespace, type Pod, type Service } from '../node/kube-types.ts';

export const GATEWAY_ANNOTATION = 'adorable.dev/gateway';

export interface World {
  readonly namespaces: ReadonlyMap<string, Namespace>;
  readonly ingresses: ReadonlyMap<string, Ingress>;
  readonly services: ReadonlyMap<string, Service>;
  readonly pods: ReadonlyMap<string, Pod>;
}

export type Route =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'restoring'; readonly namespace: string }
  | { readonly kind: 'down'; readonly namespace: string; readonly reason: string }
  | { readonly kind: 'pod'; readonly namespace: string; readonly podIP: string; readonly port: number };

export function route(world: World, host: string, path: string): Route {
  const found = findBackend(world, host, path);
  if (!found) return { kind: 'unknown' };
  const { namespace, serviceName, servicePort } = found;
  if (isRestoring(findNamespace(world, namespace))) return { kind: 'restoring', namespace };
  const service = [...world.services.values()].find(({ metadata }) => metadata.namespace === namespace && metadata.name === serviceName);
  if (!service) return { kind: 'down', namespace, reason: 'its Service does not exist' };
  const port = service.spec.ports?.find((candidate) => candidate.port === servicePort?.number || (candidate.name !== undefined && candidate.name === servicePort?.name));
  if (!port) return { kind: 'down', namespace, reason: 'its Service has no such port' };
  const pods = [...world.pods.values()].filter(({ metadata }) =>
    metadata.namespace === namespace && !metadata.deletionTimestamp && selects(service.spec.selector, metadata.labels));
  for (const pod of pods) {
    const number = resolvePort(port.targetPort ?? port.port, pod.spec.containers);
    if (isReady(pod) && pod.status?.podIP && number !== undefined) return { kind: 'pod', namespace, podIP: pod.status.podIP, port: number };
  }
  return { kind: 'down', namespace, reason: whyNotReady(pods) };
}

interface Backend {
  readonly namespace: string;
  readonly serviceName: string;
  readonly servicePort: { readonly number?: number; readonly name?: string } | undefined;
}

function findBackend(world: World, host: string, path: string): Backend | undefined {
  // Two projects that claim one host: the older Ingress keeps it (I8).
  const byAge = [...world.ingresses.values()].sort((a, b) => (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? ''));
  for (const ingress of byAge) {
    const namespace = ingress.metadata.namespace ?? '';
    const owner = findNamespace(world, namespace);
    if (!owner || !isManaged(owner)) continue;
    const paths = (ingress.spec.rules ?? []).filter((rule) => rule.host?.toLowerCase() === host).flatMap((rule) => rule.http?.paths ?? []);
    const [best] = paths.filter((candidate) => matches(candidate, path)).sort((a, b) => (b.path ?? '').length - (a.path ?? '').length);
    if (best?.backend.service) return { namespace, serviceName: best.backend.service.name, servicePort: best.backend.service.port };
  }
  return undefined;
}

function matches({ path = '/', pathType }: { readonly path?: string; readonly pathType?: string }, wanted: string): boolean {
  if (pathType === 'Exact') return wanted === path;
  const prefix = path.replace(/\/$/, '');
  return wanted === prefix || wanted.startsWith(`${prefix}/`);
}

function findNamespace(world: World, name: string): Namespace | undefined {
  return [...world.namespaces.values()].find((namespace) => namespace.metadata.name === name);
}

export function isRestoring(namespace: Namespace | undefined): boolean {
  return namespace?.metadata.annotations?.[GATEWAY_ANNOTATION] === 'restoring';
}

/** The namespace of a project, for the freeze step's question whether its drain is done. */
export function namespaceOf(world: World, projectId: string): Namespace | undefined {
  return [...world.namespaces.values()].find((namespace) => isManaged(namespace) && namespace.metadata.labels?.[PROJECT_LABEL] === projectId);
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true;
}

function whyNotReady(pods: readonly Pod[]): string {
  if (pods.length === 0) return 'no pod is running';
  const reasons = pods.flatMap((pod) => pod.status?.containerStatuses ?? []).flatMap(({ state, lastState, ready }) => {
    if (ready) return [];
    const why = state.waiting ?? state.terminated;
    if (!why) return ['it is starting'];
    const last = lastState.terminated ? ` (last exit code ${String(lastState.terminated.exitCode)})` : '';
    return [`${why.reason}${last}`];
  });
  return reasons[0] ?? 'its pod is being started';
}
