/**
 * A look at the namespace before a restore: what is not ours there is named and left alone, and
 * what would be in the way of either moment is refused before anything is done (I6).
 */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { refOf } from '../../shared/manifests/kube-object.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import { isForeign, readLive } from './apply-objects.ts';
import type { DeclaredMoment } from './compare-moments.ts';
import { isLabelledOurs } from './compare.ts';
import type { InfraRun } from './infra-run.ts';
import { momentObjects } from './moment-objects.ts';
import { foreignIn } from './prune-objects.ts';

export async function surveyNamespace(run: InfraRun, projectId: ProjectId, moments: readonly DeclaredMoment[]): Promise<readonly string[]> {
  const name = namespaceName(projectId);
  const [namespace, live] = await Promise.all([run.cluster.readNamespace(name), readLive(run, projectId, name)]);
  if (!namespace) return [`namespace ${name} does not exist: someone deleted it, and the restore makes it again`];
  if (!isLabelledOurs(namespace, projectId)) throw inTheWay(`Namespace ${name}`);
  if (namespace.metadata.deletionTimestamp !== undefined) return [`namespace ${name} is being deleted by someone else: the restore waits for its end and makes it again`];
  for (const { moment, declared } of moments) {
    const { objects } = await momentObjects({ ...run.deps, declaredOf: () => Promise.resolve(declared) }, { projectId, moment, fence: 0, replicas: 'stopped' });
    for (const ref of objects.map(refOf)) {
      const found = live.objects.get(ref);
      if (found && isForeign(found, projectId, live.inventory.get(ref))) throw inTheWay(`${ref} in ${name}`);
    }
  }
  return (await foreignIn(run, projectId, live)).map((ref) => `${ref} was made by someone else: it is left alone`);
}

function inTheWay(what: string): AdorableError {
  return new AdorableError('PreconditionFailed', `${what} was made by someone else under a name that the restore needs: rename or remove it first. Nothing was changed.`);
}
