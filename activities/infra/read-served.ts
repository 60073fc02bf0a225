/** The namespace for a sweep: which trees its pods may read, how it differs from its moment, and what is not ours. */
import type { ProjectId, TreeHash } from '../../shared/ids.ts';
import { namespaceName, TREE } from '../../shared/manifests/names.ts';
import type { Moment } from '../../shared/moment.ts';
import type { Difference } from '../../shared/restore/plan.ts';
import { readLive } from './apply-objects.ts';
import type { LiveObject } from './cluster.ts';
import type { InfraRun } from './infra-run.ts';
import { readNamespace } from './read-namespace.ts';

export interface ServedNamespace {
  readonly trees: readonly TreeHash[];
  readonly drift: readonly Difference[];
  readonly foreign: readonly string[];
}

export async function readServed(run: InfraRun, { projectId, moment }: { projectId: ProjectId; moment: Moment }): Promise<ServedNamespace> {
  const namespace = namespaceName(projectId);
  const [{ differences, foreign }, live, pods] = await Promise.all([
    readNamespace(run, { projectId, moment, running: true }), readLive(run, projectId, namespace), run.cluster.listPods(namespace),
  ]);
  const trees = [...live.objects.values()].filter((object) => object.kind === 'Deployment').map(templateTree).concat(pods.map((pod) => pod.metadata.annotations?.[TREE]));
  return { trees: [...new Set(trees.filter((tree) => tree !== undefined))] as TreeHash[], drift: differences, foreign };
}

function templateTree(deployment: LiveObject): string | undefined {
  const spec = deployment['spec'] as { template?: { metadata?: { annotations?: Record<string, string> } } } | undefined;
  return spec?.template?.metadata?.annotations?.[TREE];
}
