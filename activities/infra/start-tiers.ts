/**
 * Starts a moment's Deployments tier by tier: what a tier requires is healthy first. A pod that
 * does not come up is answered with its own reason, never thrown: an unhealthy past moment is
 * still a moment.
 */
import { AdorableError, isRetryable } from '../../shared/errors.ts';
import { isDeployment, refOf } from '../../shared/manifests/kube-object.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import { tiersOf } from '../../shared/manifests/render.ts';
import type { FencedMoment } from '../../shared/moment.ts';
import type { TierResult } from '../../shared/ports.ts';
import { COMPUTE } from '../../shared/services/built-ins.ts';
import { applyObjects, readLive } from './apply-objects.ts';
import { setLogins } from './compute.ts';
import { convergeInfra } from './converge-infra.ts';
import { sideBySide } from './infra-run.ts';
import type { InfraRun } from './infra-run.ts';
import { momentObjects } from './moment-objects.ts';
import { presentNamespace } from './namespace.ts';
import { awaitApplied } from './rollout.ts';
import { runStep } from './service-steps.ts';

const LIMIT_MS = 60_000;

export async function startTiers(run: InfraRun, input: FencedMoment): Promise<TierResult> {
  const { deps } = run;
  const { projectId } = input;
  const { declared, objects } = await momentObjects(deps, { ...input, replicas: 'running' });
  // Apps are healthy only once they may log in.
  await sideBySide(run, (part) => mend(part, input, objects), (part) => setLogins(part, input, 'all'));
  const degraded = new Map<string, string>();
  const names: string[] = [];
  for (const tier of tiersOf(declared, deps.registry)) {
    names.push(...tier);
    const live = await readLive(run, projectId, namespaceName(projectId), ['Deployment']);
    for (const name of tier) {
      const failure = await beforeStart(run, input, { name, isRunning: replicasIn(live.objects.get(`Deployment/${name}`)) > 0 });
      if (failure !== undefined) degraded.set(name, failure);
    }
    const desired = objects.filter((object) => isDeployment(object) && tier.includes(object.metadata.name));
    await applyObjects(run, input, { desired, live });
    const limits = new Map(tier.map((name) => [name, limitOf(run, name)]));
    for (const [name, reason] of await awaitApplied(run.rollout(projectId), limits)) degraded.set(name, await run.withoutSecrets(projectId, reason));
  }
  return {
    healthy: names.filter((name) => !degraded.has(name)).sort(),
    degraded: [...degraded].map(([name, reason]) => ({ name, reason })).sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** What someone deleted since the converge is made again, with the namespace if need be: a moment that is final has no way back. */
async function mend(run: InfraRun, input: FencedMoment, objects: readonly KubeObject[]): Promise<void> {
  await presentNamespace(run, input);
  const live = await readLive(run, input.projectId, namespaceName(input.projectId));
  if (objects.some((object) => !live.objects.has(refOf(object)))) await convergeInfra(run, { ...input, keepRunning: true });
}

function limitOf({ deps }: InfraRun, name: string): number {
  const service = deps.registry.find(name);
  return service ? service.readyCheck.startupSeconds * 1_000 : LIMIT_MS;
}

/** A service's own step before its pod starts; one that no retry can mend degrades it. */
async function beforeStart(run: InfraRun, input: FencedMoment, { name, isRunning }: { name: string; isRunning: boolean }): Promise<string | undefined> {
  const service = run.deps.registry.find(name);
  if (name === COMPUTE || isRunning || service?.steps.beforeStart === undefined) return undefined;
  try {
    await runStep(run, { projectId: input.projectId, service, step: service.steps.beforeStart });
    return undefined;
  } catch (error) {
    if (!(error instanceof AdorableError) || isRetryable(error.type) || error.type === 'Cancelled' || error.type === 'StaleFence') throw error;
    return await run.withoutSecrets(input.projectId, `its step ${service.steps.beforeStart} failed: ${error.message}`);
  }
}

function replicasIn(deployment: { readonly [field: string]: unknown } | undefined): number {
  return (deployment?.['spec'] as { replicas?: number } | undefined)?.replicas ?? 0;
}
