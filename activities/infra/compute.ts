/**
 * The compute alone: the timeline it serves is configured under the fence before it starts, and its
 * end is waited for, since a seal reads what a stopped compute left (I1, I3).
 */
import { AdorableError } from '../../shared/errors.ts';
import { isDeployment } from '../../shared/manifests/kube-object.ts';
import { FENCE, namespaceName } from '../../shared/manifests/names.ts';
import type { Lsn } from '../../shared/lsn.ts';
import type { Fenced, FencedMoment } from '../../shared/moment.ts';
import { COMPUTE } from '../../shared/services/built-ins.ts';
import { applyObjects, readLive } from './apply-objects.ts';
import { gatewayOf, raiseFence } from './namespace.ts';
import { computeObjects, momentObjects } from './moment-objects.ts';
import { awaitApplied, awaitPodsGone, awaitUp } from './rollout.ts';
import type { InfraRun } from './infra-run.ts';

const START_LIMIT_MS = 90_000;
const LOGINS_LIMIT_MS = 20_000;
const KINDS = ['Secret', 'Service', 'Deployment'];

export async function startCompute(run: InfraRun, input: FencedMoment): Promise<void> {
  const { deps, cluster, context } = run;
  const { projectId, moment } = input;
  const namespace = await raiseFence(run, input);
  const { tenantId, timelineId } = moment;
  // Whoever holds the fence has decided that this timeline is served: a seal on it has served its purpose.
  await deps.data.unsealTimeline({ ...input, tenantId, timelineId });
  await deps.data.repointCompute({ ...input, tenantId, timelineId, logins: gatewayOf(namespace) === 'restoring' ? 'admin' : 'all' });
  await deps.secrets.ensure(projectId, await deps.declaredOf(projectId, moment.checkpointId));
  const desired = await computeObjects(deps, { ...input, replicas: 'stopped' });
  await applyObjects(run, input, { desired, live: await readLive(run, projectId, namespaceName(projectId), KINDS) });
  const reason = (await awaitApplied({ cluster, context, projectId }, new Map([[COMPUTE, START_LIMIT_MS]]))).get(COMPUTE);
  if (reason !== undefined) throw new AdorableError('Unavailable', `The compute of ${projectId} does not come up: ${await run.withoutSecrets(projectId, reason)}`);
}

/** The mirror image of `startCompute`: no pod of the project's, then no attachment; only what then stands is the end of its WAL (I3). */
export async function stopCompute(run: InfraRun, input: FencedMoment): Promise<{ lsn: Lsn }> {
  const { projectId, fence, moment } = input;
  const live = await run.cluster.read('Deployment', namespaceName(projectId), COMPUTE);
  if (live) await run.cluster.patch({ ...live, kind: 'Deployment' }, { metadata: { uid: live.metadata.uid, annotations: { [FENCE]: String(fence) } }, spec: { replicas: 0 } });
  await awaitPodsGone(run.rollout(projectId));
  return await run.deps.data.sealTimeline({ ...input, tenantId: moment.tenantId, timelineId: moment.timelineId });
}

/** Who may log in from now on; waited for when there is a compute to obey. */
export async function setLogins(run: InfraRun, fenced: Fenced, logins: 'all' | 'admin'): Promise<void> {
  const { projectId } = fenced;
  const { tenant_id, timeline_id } = await run.deps.data.readEndpoint(projectId);
  await run.deps.data.repointCompute({ ...fenced, tenantId: tenant_id, timelineId: timeline_id, logins });
  const down = await awaitUp(run.rollout(projectId), new Map([[COMPUTE, 0]]));
  if (down.size === 0) await run.deps.data.awaitLogins({ projectId, timelineId: timeline_id, logins, timeoutMs: LOGINS_LIMIT_MS });
}

/** The moment's apps and services at 0 by the one field manager, whatever else runs of ours too; their pods are told to go. */
export async function stopWorkloads(run: InfraRun, input: FencedMoment): Promise<void> {
  const { projectId, fence } = input;
  const { objects } = await momentObjects(run.deps, { ...input, replicas: 'stopped' });
  const live = await readLive(run, projectId, namespaceName(projectId), ['Deployment']);
  const stopped = objects.filter((object) => isDeployment(object) && object.metadata.name !== COMPUTE && live.objects.has(`Deployment/${object.metadata.name}`));
  await applyObjects(run, input, { desired: stopped, live });
  const names = new Set(stopped.map((object) => object.metadata.name));
  for (const object of live.objects.values()) {
    const row = live.inventory.get(`Deployment/${object.metadata.name}`);
    const isExtra = row?.uid === object.metadata.uid && !names.has(object.metadata.name) && object.metadata.name !== COMPUTE;
    if (isExtra) await run.cluster.patch(object, { metadata: { uid: object.metadata.uid, annotations: { [FENCE]: String(fence) } }, spec: { replicas: 0 } });
  }
}
