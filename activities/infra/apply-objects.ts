/**
 * Brings rendered objects into a namespace: intent, server-side apply, UID. An object that someone
 * else made under a name of ours is refused, never taken over (I6); one that someone edited is put
 * right; one that the API server does not let become what is rendered is made again.
 */
import { kubeCode } from '../../local/kube-client.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import { refOf } from '../../shared/manifests/kube-object.ts';
import { FENCE } from '../../shared/manifests/names.ts';
import type { Fenced } from '../../shared/moment.ts';
import { KINDS } from './cluster.ts';
import type { Cluster, LiveObject } from './cluster.ts';
import { adoptedFields, foreignSpecManagers, isAsRendered, isLabelledOurs, withApplied } from './compare.ts';
import type { Checksum } from './compare.ts';
import { eachOf } from './each-of.ts';
import type { Inventory, InventoryRow } from './inventory.ts';

/** Nothing is ever made under it: a dry run asks whether an object would be valid as a new one. */
const PROBE = 'adorable-probe';
/** Made by Kubernetes in every namespace; we only set a field of it. */
const MADE_BY_KUBERNETES = new Set(['ServiceAccount/default']);

export interface LiveNamespace {
  /** By `Kind/name`. */
  readonly objects: ReadonlyMap<string, LiveObject>;
  readonly inventory: ReadonlyMap<string, InventoryRow>;
}

export interface ApplyDeps {
  readonly cluster: Cluster;
  readonly inventory: Inventory;
  readonly checksum: Checksum;
}

export interface Applied {
  created: number;
  configured: number;
  unchanged: number;
}

/** One LIST per kind and one SELECT: all that a converge reads. */
export async function readLive({ cluster, inventory }: ApplyDeps, projectId: Fenced['projectId'], namespace: string, kinds: readonly string[] = KINDS): Promise<LiveNamespace> {
  const [rows, ...lists] = await Promise.all([inventory.read(projectId), ...kinds.map((kind) => cluster.list(kind, namespace))]);
  return { inventory: rows, objects: new Map(lists.flat().map((object) => [refOf(object), object])) };
}

export async function applyObjects(deps: ApplyDeps, fenced: Fenced, input: { desired: readonly KubeObject[]; live: LiveNamespace }): Promise<Applied> {
  const { desired, live } = input;
  const result: Applied = { created: 0, configured: 0, unchanged: 0 };
  const changed = desired.filter((object) => {
    const found = live.objects.get(refOf(object));
    if (found) refuseForeign(found, fenced.projectId, live.inventory.get(refOf(object)));
    return !found || found.metadata.deletionTimestamp !== undefined || !isAsRendered(object, found, deps.checksum);
  });
  result.unchanged = desired.length - changed.length;
  const unknown = desired.filter((object) => {
    const row = live.inventory.get(refOf(object));
    const found = live.objects.get(refOf(object));
    return row?.state !== 'live' || row.uid !== found?.metadata.uid;
  });
  await deps.inventory.intend(fenced, unknown);

  const written: LiveObject[] = [];
  for (const kind of KINDS) {
    await eachOf(changed.filter((object) => object.kind === kind), async (object) => {
      const before = live.objects.get(refOf(object));
      const after = await applyOne(deps, fenced, { object, before });
      written.push({ ...after, kind: object.kind });
      if (before?.metadata.uid !== after.metadata.uid) result.created++;
      else if (before.metadata.resourceVersion !== after.metadata.resourceVersion) result.configured++;
      else result.unchanged++;
    });
  }
  const uids = new Map([...live.objects, ...written.map((object) => [refOf(object), object] as const)]);
  await deps.inventory.record(fenced.projectId, unknown.flatMap((object) => uids.get(refOf(object)) ?? []));
  return result;
}

async function applyOne({ cluster, checksum }: ApplyDeps, { fence }: Fenced, { object, before }: { object: KubeObject; before: LiveObject | undefined }): Promise<LiveObject> {
  if (before?.metadata.deletionTimestamp !== undefined) {
    throw new AdorableError('Contended', `${refOf(object)} is being deleted: it is made again once it is gone.`);
  }
  if (before && foreignSpecManagers(before).length > 0) {
    // Read anew: a controller writes status all the time, and its entry must not be lost.
    const latest = await cluster.read(before.kind, before.metadata.namespace ?? '', before.metadata.name) ?? before;
    await cluster.patch({ ...latest, kind: before.kind }, {
      metadata: { uid: before.metadata.uid, annotations: { [FENCE]: String(fence) }, managedFields: adoptedFields(latest) },
    });
  }
  const wanted = withApplied(object, checksum);
  try {
    return await cluster.apply(wanted);
  } catch (error) {
    if (!before || kubeCode(error) !== 422) throw error;
    // Immutable, or of a form that nothing leads back from: made again, once it is known that a new one would be taken.
    await cluster.apply({ ...wanted, metadata: { ...wanted.metadata, name: PROBE } }, { dryRun: true });
    await cluster.remove(before, fence);
    return await cluster.apply(wanted);
  }
}

/** Neither recorded nor labelled as this project's. */
export function isForeign(live: LiveObject, projectId: string, row: InventoryRow | undefined): boolean {
  return !MADE_BY_KUBERNETES.has(refOf(live)) && !isLabelledOurs(live, projectId) && row?.uid !== live.metadata.uid;
}

function refuseForeign(live: LiveObject, projectId: string, row: InventoryRow | undefined): void {
  if (!isForeign(live, projectId, row)) return;
  throw new AdorableError('OwnershipConflict', `${refOf(live)} in ${live.metadata.namespace ?? ''} was made by someone else: rename or remove it, then resume.`, { details: { kind: live.kind, name: live.metadata.name } });
}
