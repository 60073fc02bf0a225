/**
 * Deletes what this project's inventory has and its moment has not. Never a Namespace, a volume
 * claim or a built-in service, never by a list of names: the inventory says what is ours, the
 * registry what may go (I6).
 */
import { AdorableError } from '../../shared/errors.ts';
import { refOf } from '../../shared/manifests/kube-object.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import { APP_LABEL, namespaceName, SERVICE_LABEL } from '../../shared/manifests/names.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Fenced } from '../../shared/moment.ts';
import { isCodeDefinedService } from '../../shared/services/built-ins.ts';
import type { ApplyDeps, LiveNamespace } from './apply-objects.ts';
import type { LiveObject } from './cluster.ts';
import { isLabelledOurs } from './compare.ts';
import { eachOf } from './each-of.ts';
import type { InventoryRow } from './inventory.ts';

/** In this order: nothing is routed to what goes, and what it reads goes last. */
const PRUNED_KINDS: readonly (readonly string[])[] = [['Ingress'], ['Deployment', 'Service'], ['ConfigMap', 'Secret', 'NetworkPolicy', 'ResourceQuota', 'LimitRange']];

export interface Pruned {
  readonly deleted: number;
  readonly tornDown: readonly string[];
  readonly deprovisioned: readonly string[];
}

export async function pruneObjects(deps: ApplyDeps, fenced: Fenced, input: { desired: readonly KubeObject[]; live: LiveNamespace }): Promise<Pruned> {
  const { live } = input;
  const wanted = new Set(input.desired.map(refOf));
  const rows = [...live.inventory.values()].filter((row) => PRUNED_KINDS.flat().includes(row.kind) && !wanted.has(`${row.kind}/${row.name}`));
  const doomed = rows.flatMap((row) => {
    const found = live.objects.get(`${row.kind}/${row.name}`);
    return found && isOwn(row, found, fenced.projectId) ? [found] : [];
  });
  // All are looked at before the first one goes.
  for (const object of doomed) refuseBuiltIn(object);
  for (const kinds of PRUNED_KINDS) await eachOf(doomed.filter((object) => kinds.includes(object.kind)), (object) => deps.cluster.remove(object, fenced.fence));
  await deps.inventory.forget(fenced.projectId, rows);

  const deployments = doomed.filter((object) => object.kind === 'Deployment');
  return {
    deleted: doomed.length,
    tornDown: deployments.filter((object) => object.metadata.labels?.[APP_LABEL] !== undefined).map((object) => object.metadata.name).sort(),
    deprovisioned: deployments.flatMap((object) => object.metadata.labels?.[SERVICE_LABEL] ?? []).sort(),
  };
}

/** Objects of others, of any kind that is looked for, by name: left alone. */
export async function foreignIn({ cluster }: Pick<ApplyDeps, 'cluster'>, projectId: ProjectId, live: LiveNamespace): Promise<readonly string[]> {
  return [...foreignObjects(projectId, live), ...(await cluster.listOthers(namespaceName(projectId)))].sort();
}

/** Of the kinds that we make, those that nobody recorded; what stands under a recorded name with our labels is drift. */
export function foreignObjects(projectId: ProjectId, live: LiveNamespace): readonly string[] {
  const builtByKubernetes = new Set(['ConfigMap/kube-root-ca.crt', 'ServiceAccount/default']);
  return [...live.objects].filter(([ref, object]) => {
    const row = live.inventory.get(ref);
    return !builtByKubernetes.has(ref) && (row === undefined || (row.uid !== null && row.uid !== object.metadata.uid && !isLabelledOurs(object, projectId)));
  }).map(([ref]) => ref).sort();
}

/** An intent without UID: the create's reply was lost, and the labels alone say that it is ours. */
function isOwn(row: InventoryRow, live: LiveObject, projectId: string): boolean {
  return row.uid === null ? isLabelledOurs(live, projectId) : row.uid === live.metadata.uid;
}

function refuseBuiltIn(object: LiveObject): void {
  const service = object.metadata.labels?.[SERVICE_LABEL];
  if (service !== undefined && isCodeDefinedService(service)) {
    throw new AdorableError('InvariantViolated', `${refOf(object)} belongs to the built-in service ${service}, which is never deprovisioned.`);
  }
}
