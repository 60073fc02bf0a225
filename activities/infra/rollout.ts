/** Waiting for pods: up, with their own reason when they do not come up, or gone. */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import { COMPUTE } from '../../shared/services/built-ins.ts';
import type { Cluster, Pod } from './cluster.ts';
import type { ActivityContext } from './infra-deps.ts';
import { isHopeless, isUp, reasonOf } from './pod-reason.ts';
import { SOON_MS, waitFor } from './waiting.ts';

/** How often the pods themselves are looked at: whether any is hopeless, which a Deployment does not say. */
const PODS_EVERY_MS = 500;
const UP_MS = 25;
/** Longer than any grace period: what is there afterwards will not go by itself. */
const GONE_LIMIT_MS = 120_000;

export interface Rollout {
  readonly cluster: Cluster;
  readonly context: ActivityContext;
  readonly projectId: ProjectId;
}

const nameOf = (pod: Pod) => pod.metadata.labels?.['app.kubernetes.io/name'] ?? '';

/** The project's pods, or those that the predicate chooses by their Deployment's name, are gone, not only told to go. */
export async function awaitPodsGone({ cluster, context, projectId }: Rollout, chosen: (name: string) => boolean = () => true): Promise<void> {
  const isOurs = (pod: Pod) => pod.metadata.labels?.['app.kubernetes.io/instance'] === projectId && chosen(nameOf(pod));
  let left: readonly Pod[] = [];
  const gone = await waitFor(context, GONE_LIMIT_MS, async () => {
    left = (await cluster.listPods(namespaceName(projectId))).filter(isOurs);
    return left.length === 0 ? true : undefined;
  }, SOON_MS);
  if (gone) return;
  const names = left.map((pod) => pod.metadata.name).sort().join(', ');
  throw new AdorableError('Unavailable', `Pods did not stop within ${String(GONE_LIMIT_MS / 1_000)} s: ${names}. See what holds them with \`adorable status\`.`, { details: { pods: left.map((pod) => pod.metadata.name) } });
}

/** Apps and services; the compute may run. */
export async function awaitWorkloadsGone(rollout: Rollout): Promise<void> {
  await awaitPodsGone(rollout, (name) => name !== COMPUTE);
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
  let podsAt = began + PODS_EVERY_MS;
  await waitFor(context, Math.max(0, ...limits.values()) + 1_000, async () => {
    const deployments = new Map((await cluster.list('Deployment', namespace)).map((deployment) => [deployment.metadata.name, deployment]));
    for (const name of open) {
      const deployment = deployments.get(name);
      if (!deployment) onAbsent(name);
      else if (isUp(deployment)) open.delete(name);
    }
    const late = new Set([...open].filter((name) => Date.now() - began >= (limits.get(name) ?? 0)));
    if (open.size === 0) return true;
    if (late.size === 0 && Date.now() < podsAt) return undefined;
    podsAt = Date.now() + PODS_EVERY_MS;
    const pods = await cluster.listPods(namespace);
    for (const name of open) {
      const deployment = deployments.get(name);
      const own = pods.filter((pod) => nameOf(pod) === name && pod.metadata.deletionTimestamp === undefined);
      if (!late.has(name) && !isHopeless(own)) continue;
      degraded.set(name, deployment ? reasonOf(deployment, own) : 'its Deployment does not exist');
      open.delete(name);
    }
    return open.size === 0 ? true : undefined;
  }, UP_MS);
  return degraded;
}
