/**
 * The namespace read back against a moment: what lives, with UIDs, and every difference by name.
 * Reads only; nothing is taken from what a step claimed (I1).
 */
import { manifestDigest } from '../../shared/manifests/digest.ts';
import { isDeployment, refOf } from '../../shared/manifests/kube-object.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/moment.ts';
import type { Difference } from '../../shared/restore/plan.ts';
import { COMPUTE } from '../../shared/services/built-ins.ts';
import { readLive } from './apply-objects.ts';
import type { LiveObject } from './cluster.ts';
import { isAsRendered } from './compare.ts';
import type { InfraRun } from './infra-run.ts';
import { momentObjects } from './moment-objects.ts';
import { foreignIn, foreignObjects } from './prune-objects.ts';

export interface NamespaceReading {
  /** `Kind/name` → UID of every object of this project's inventory that lives. */
  readonly objects: Readonly<Record<string, string>>;
  readonly differences: readonly Difference[];
  /** Objects of others, by name: no difference, and left alone. While a restore keeps everybody out, of the kinds that it reads anyway. */
  readonly foreign: readonly string[];
  /** Of the rendered manifests; Secrets hold current values, which belong to no moment. */
  readonly manifestDigest: string;
}

/** `running`: every Deployment is compared with one replica; else replicas are whatever they are, but the compute runs. */
export async function readNamespace(run: InfraRun, { projectId, moment, running }: { projectId: ProjectId; moment: Moment; running: boolean }): Promise<NamespaceReading> {
  const name = namespaceName(projectId);
  const [namespace, live] = await Promise.all([run.cluster.readNamespace(name), readLive(run, projectId, name)]);
  const replicas = Object.fromEntries([...live.objects.values()].filter((object) => object.kind === 'Deployment' && object.metadata.name !== COMPUTE)
    .map((object) => [object.metadata.name, replicasOf(object)]));
  const { objects } = await momentObjects(run.deps, { projectId, moment, fence: 0, replicas: running ? 'running' : replicas });
  const wanted = new Set(objects.map(refOf));
  const whole = namespace === undefined ? [differs(`Namespace/${name}`, 'present', 'absent')]
    : namespace.metadata.deletionTimestamp === undefined ? [] : [differs(`Namespace/${name}`, 'present', 'being deleted')];
  const differences: Difference[] = whole.concat(objects.flatMap((object) => {
    const found = live.objects.get(refOf(object));
    if (!found) return [differs(refOf(object), 'present', 'absent')];
    if (isDeployment(object) && replicasOf(found) !== object.spec.replicas) return [differs(`${refOf(object)} replicas`, String(object.spec.replicas), String(replicasOf(found)))];
    return isAsRendered(object, found, run.checksum) ? [] : [differs(refOf(object), 'as rendered', 'changed')];
  }));
  const own = [...live.objects].filter(([ref, object]) => live.inventory.get(ref)?.uid === object.metadata.uid);
  for (const [ref] of own) if (!wanted.has(ref)) differences.push(differs(ref, 'absent', 'present'));
  return { objects: Object.fromEntries(own.map(([ref, object]) => [ref, object.metadata.uid])), differences, foreign: running ? await foreignIn(run, projectId, live) : foreignObjects(projectId, live), manifestDigest: manifestDigest(objects.filter((object) => object.kind !== 'Secret')) };
}

function differs(what: string, expected: string, found: string): Difference {
  return { store: 'namespace', what, expected, found };
}

function replicasOf(deployment: LiveObject): number {
  return (deployment['spec'] as { replicas?: number } | undefined)?.replicas ?? 0;
}
