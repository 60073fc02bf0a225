/** Why a Deployment's pod does not come up, in the pod's own words: pure. */
import type { LiveObject, Pod } from './cluster.ts';

const LONGEST = 300;
/** After this many restarts a crash loop will not end by itself within the limit. */
const HOPELESS_RESTARTS = 3;

export interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
}

/** The new pod is ready and no old one is left. */
export function isUp(deployment: LiveObject): boolean {
  const status = (deployment['status'] ?? {}) as DeploymentStatus;
  return (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
    && status.replicas === 1 && status.updatedReplicas === 1 && status.readyReplicas === 1;
}

export function isHopeless(pods: readonly Pod[]): boolean {
  const [container] = newest(pods)?.status?.containerStatuses ?? [];
  return container?.state?.waiting !== undefined && container.restartCount >= HOPELESS_RESTARTS;
}

export function reasonOf(deployment: LiveObject, pods: readonly Pod[]): string {
  const pod = newest(pods);
  if (!pod) {
    const status = (deployment['status'] ?? {}) as DeploymentStatus;
    const failure = status.conditions?.find((condition) => condition.type === 'ReplicaFailure' && condition.status === 'True');
    return shorten(failure?.message ?? 'no pod was made for it');
  }
  const [container] = pod.status?.containerStatuses ?? [];
  const { waiting, terminated } = container?.state ?? {};
  const last = container?.lastState?.terminated;
  if (waiting?.reason !== undefined) return shorten([waiting.reason, last?.message ?? waiting.message].filter(Boolean).join(': '));
  if (terminated) return shorten([terminated.reason ?? 'Error', terminated.message ?? `exit code ${String(terminated.exitCode ?? '?')}`].join(': '));
  const unscheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled' && condition.status === 'False');
  if (unscheduled) return shorten(`Unschedulable: ${unscheduled.message ?? ''}`);
  return last ? shorten(`NotReady: it was restarted after ${last.message ?? `exit code ${String(last.exitCode ?? '?')}`}`) : 'NotReady: its readiness probe has not passed';
}

function newest(pods: readonly Pod[]): Pod | undefined {
  const created = (pod: Pod) => String((pod.metadata as { creationTimestamp?: string }).creationTimestamp ?? '');
  return [...pods].sort((a, b) => created(b).localeCompare(created(a)))[0];
}

function shorten(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ');
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
