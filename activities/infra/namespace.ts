/**
 * The Namespace itself: it carries the project's fence, which may only grow, and what the gateway
 * does with the project's traffic. Raising the fence is done when an older one is refused, not when
 * it is written: the admission policy reads a cache.
 */
import { log } from '../../local/log.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import { renderNamespace } from '../../shared/manifests/hardening.ts';
import type { GatewayState } from '../../shared/manifests/hardening.ts';
import { FENCE, GATEWAY, namespaceName } from '../../shared/manifests/names.ts';
import type { Fenced } from '../../shared/moment.ts';
import type { Cluster, LiveObject } from './cluster.ts';
import { isLabelledOurs } from './compare.ts';
import type { ActivityContext } from './infra-deps.ts';
import type { Inventory } from './inventory.ts';
import { SOON_MS, waitFor } from './waiting.ts';

const PROOF_LIMIT_MS = 20_000;

export interface NamespaceDeps {
  readonly cluster: Cluster;
  readonly inventory: Inventory;
  readonly context: ActivityContext;
}

export async function ensureNamespace(deps: NamespaceDeps, fenced: Fenced): Promise<void> {
  const live = await readOwn(deps, fenced);
  const row = (await deps.inventory.read(fenced.projectId)).get(`Namespace/${namespaceName(fenced.projectId)}`);
  if (!live || row?.uid !== live.metadata.uid) await make(deps, fenced, gatewayOf(live));
  else if (fenceOf(live) !== fenced.fence) await deps.cluster.apply(renderNamespace({ ...fenced, gateway: gatewayOf(live) }));
  if (fenced.fence > 1) await awaitFence(deps, fenced);
}

/** The intent is refused under an old fence: an overtaken operation cannot bring back what a newer one deleted. */
async function make({ cluster, inventory }: NamespaceDeps, fenced: Fenced, gateway: GatewayState): Promise<LiveObject> {
  const wanted = renderNamespace({ ...fenced, gateway });
  await inventory.intend(fenced, [wanted]);
  const made = await cluster.apply(wanted);
  await inventory.record(fenced.projectId, [{ ...made, kind: 'Namespace' }]);
  return made;
}

/** Everything in a namespace can be rendered: one that someone else deleted is made again, closed to traffic until `open`. */
export async function presentNamespace(deps: NamespaceDeps, fenced: Fenced): Promise<LiveObject> {
  const live = await readOwn(deps, fenced);
  if (live) return live;
  log('warn', 'the namespace is gone and is made again', { projectId: fenced.projectId, operationId: fenced.operationId });
  return await make(deps, fenced, 'restoring');
}

/**
 * The operation takes the namespace: from its answer on, whatever an overtaken one still sends is
 * refused. What the gateway does from now on, where that is said, is in the same write.
 */
export async function raiseFence(deps: NamespaceDeps, fenced: Fenced, gateway?: GatewayState): Promise<LiveObject> {
  const live = await presentNamespace(deps, fenced);
  if (fenceOf(live) > fenced.fence) throw new AdorableError('StaleFence', `A newer operation holds the namespace of ${fenced.projectId}: nothing was written.`);
  const wanted = gateway ?? gatewayOf(live);
  if (fenceOf(live) === fenced.fence && gatewayOf(live) === wanted) {
    // An earlier attempt may have written it and died before it was proven.
    await awaitFence(deps, fenced);
    return live;
  }
  const raised = await deps.cluster.apply(renderNamespace({ ...fenced, gateway: wanted }));
  await awaitFence(deps, fenced);
  return raised;
}

/** What the gateway does from now on, written under the fence. */
export async function setGateway(deps: NamespaceDeps, fenced: Fenced, gateway: GatewayState): Promise<void> {
  const live = await readOwn(deps, fenced);
  if (!live) throw new AdorableError('NotFound', `Namespace ${namespaceName(fenced.projectId)} is gone: \`adorable recover ${fenced.projectId}\` makes it again.`);
  if (gatewayOf(live) === gateway && fenceOf(live) === fenced.fence) return;
  await deps.cluster.apply(renderNamespace({ ...fenced, gateway }));
}

export function gatewayOf(live: LiveObject | undefined): GatewayState {
  return live?.metadata.annotations?.[GATEWAY] === 'restoring' ? 'restoring' : 'open';
}

/** The project's Namespace; one of someone else's is refused, the end of one that is being deleted is waited for. */
export async function readOwn({ cluster }: NamespaceDeps, { projectId }: Pick<Fenced, 'projectId'>): Promise<LiveObject | undefined> {
  const name = namespaceName(projectId);
  const live = await cluster.readNamespace(name);
  if (!live) return undefined;
  if (!isLabelledOurs(live, projectId)) throw new AdorableError('OwnershipConflict', `Namespace ${name} was made by someone else: rename or remove it.`);
  if (live.metadata.deletionTimestamp !== undefined) throw new AdorableError('Contended', `Namespace ${name} is being deleted by someone else: it is made again once it is gone.`);
  return live;
}

export function fenceOf(live: LiveObject): number {
  return Number(live.metadata.annotations?.[FENCE] ?? '0');
}

async function awaitFence({ cluster, context }: NamespaceDeps, { projectId, fence }: Fenced): Promise<void> {
  const probe: KubeObject = {
    apiVersion: 'v1', kind: 'ConfigMap', data: {},
    metadata: { name: 'adorable-fence-probe', namespace: namespaceName(projectId), annotations: { [FENCE]: String(fence - 1) } },
  };
  const refused = await waitFor(context, PROOF_LIMIT_MS, async () => {
    try {
      await cluster.apply(probe, { dryRun: true });
      return undefined;
    } catch (error) {
      if (error instanceof AdorableError && error.type === 'StaleFence') return true;
      throw error;
    }
  }, SOON_MS);
  if (!refused) throw new AdorableError('Unavailable', 'The API server lets a write with an old fence through: its fence policy is missing or does not cover this identity; `adorable up` installs it.');
}
