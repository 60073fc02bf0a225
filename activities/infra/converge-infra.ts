/**
 * `reconcileAfterRestore` and its like: the namespace becomes exactly what the moment renders, and
 * what this project made beyond it goes. Nothing new is started here.
 */
import { log } from '../../local/log.ts';
import { isDeployment } from '../../shared/manifests/kube-object.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import type { FencedMoment } from '../../shared/moment.ts';
import type { InfraResult } from '../../shared/ports.ts';
import { COMPUTE } from '../../shared/services/built-ins.ts';
import { applyObjects, readLive } from './apply-objects.ts';
import type { InfraRun } from './infra-run.ts';
import { momentObjects } from './moment-objects.ts';
import { presentNamespace } from './namespace.ts';
import { foreignObjects, pruneObjects } from './prune-objects.ts';
import { awaitPodsGone, awaitWorkloadsGone } from './rollout.ts';

export async function convergeInfra(run: InfraRun, input: FencedMoment & { keepRunning: boolean }): Promise<InfraResult> {
  const { projectId } = input;
  await presentNamespace(run, input);
  await run.deps.secrets.ensure(projectId, await run.deps.declaredOf(projectId, input.moment.checkpointId));
  const live = await readLive(run, projectId, namespaceName(projectId));
  const running = [...live.objects.values()].filter((object) => object.kind === 'Deployment' && object.metadata.name !== COMPUTE)
    .map((object) => [object.metadata.name, (object['spec'] as { replicas?: number }).replicas ?? 0] as const);
  const { objects } = await momentObjects(run.deps, { ...input, replicas: input.keepRunning ? Object.fromEntries(running) : 'stopped' });
  const applied = await applyObjects(run, input, { desired: objects, live });
  const pruned = await pruneObjects(run, input, { desired: objects, live });
  const declared = new Set(objects.filter(isDeployment).map((object) => object.metadata.name));
  // Also after a lost reply: what was torn down before is waited for again.
  if (input.keepRunning) await awaitPodsGone(run.rollout(projectId), (name) => !declared.has(name));
  else await awaitWorkloadsGone(run.rollout(projectId));
  const foreign = foreignObjects(projectId, live);
  if (foreign.length > 0) log('warn', 'objects of others in the namespace were left alone', { projectId, foreign });
  return { ...applied, deleted: pruned.deleted, tornDown: pruned.tornDown, deprovisioned: pruned.deprovisioned };
}
