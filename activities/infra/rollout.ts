/** Waiting for pods: up, with their own reason when they do not come up, or gone. */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import type { Cluster, Pod } from './cluster.ts';
import type { ActivityContext } from './infra-deps.ts';
import { isHopeless, isUp, reasonOf } from './pod-reason.ts';
import { waitFor } from './waiting.ts';

/** Longer than any grace period: what is there afterwards will not go by itself. */
const GONE_LIMIT_MS = 120_000;

export interface Rollout {
  readonly cluster: Cluster;
  readonly context: ActivityContext;
  readonly projectId: ProjectId;
}

const nameOf = (pod: Pod) => pod.metadata.labels?.['app.kubernetes.io/name'] ?? '';

/** Pods that the predicate chooses by their Deployment's name are gone, not only told to go. */
export async function awaitPodsGone({ cluster, context, projectId }: Rollout, chosen: (name: string) => boolean): Promise<void> {
  const isOurs = (pod: Pod) => pod.metadata.labels?.['app.kubernetes.io/instance'] === projectId && chosen(nameOf(pod));
  let left: readonly Pod[] = [];
  const gone = await waitFor(context, GONE_LIMIT_MS, async () => {
    left = (await cluster.listPods(namespaceName(projectId))).filter(isOurs);
    return left.length === 0 ? true : undefined;
  });
  if (gone) return;
  const names = left.map((pod) => pod.metadata.name).sort().join(', ');
  throw new AdorableError('Unavailable', `Pods did not stop within ${String(GONE_LIMIT_MS / 1_000)} s: ${names}. See what holds them with \`adorable status\`.`, { details: { pods: left.map((pod) => pod.metadata.name) } });
}

/** What was just applied and is gone was deleted by someone else: waiting for it would be in vain, applying it again is not. */
export async function awaitApplied(rollout: Rollout, limits: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, string>> {
  return await awaitUp(rollout, limits, (name) => {
    throw new AdorableError('Contended', `Deployment ${name} of ${rollout.projectId} was deleted by someone else: it is made again.`);
  });
}

/** Answers the reason of each Deployment that is not up within its limit. */
export async function awaitUp({ cluster, context, projectId }: Rollout, limits: ReadonlyMap<string, number>, onAbsent: (name: string) => void = () => undefined): Promise<ReadonlyMap<string, string>> {
  const namespace = namespaceName(projectId);
  const began = Date.now();
  const degraded = new Map<string, string>();
  const open = new Set(limits.keys());
  await waitFor(context, Math.max(0, ...limits.values()) + 1_000, async () => {
    const [deployments, pods] = await Promise.all([cluster.list('Deployment', namespace), cluster.listPods(namespace)]);
    for (const name of open) {
      const deployment = deployments.find((candidate) => candidate.metadata.name === name);
      if (!deployment) onAbsent(name);
      const own = pods.filter((pod) => nameOf(pod) === name && pod.metadata.deletionTimestamp === undefined);
      if (deployment && isUp(deployment)) {
        open.delete(name);
      } else if (Date.now() - began >= (limits.get(name) ?? 0) || isHopeless(own)) {
        degraded.set(name, deployment ? reasonOf(deployment, own) : 'its Deployment does not exist');
        open.delete(name);
      }
    }
    return open.size === 0 ? true : undefined;
  });
  return degraded;
}
