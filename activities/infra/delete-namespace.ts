/**
 * The end of a project's namespace. With foreign objects in it, only ours go and the Namespace
 * stays, since deleting it would take theirs along (I6). Waits until it is gone.
 */
import { log } from '../../local/log.ts';
import { AdorableError } from '../../shared/errors.ts';
import { renderNamespace } from '../../shared/manifests/hardening.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import type { Fenced } from '../../shared/moment.ts';
import { readLive } from './apply-objects.ts';
import type { ApplyDeps } from './apply-objects.ts';
import { isLabelledOurs } from './compare.ts';
import { fenceOf, gatewayOf } from './namespace.ts';
import type { NamespaceDeps } from './namespace.ts';
import { foreignIn } from './prune-objects.ts';
import { waitFor } from './waiting.ts';

const GONE_LIMIT_MS = 180_000;

export async function deleteNamespace(deps: NamespaceDeps & ApplyDeps, fenced: Fenced): Promise<void> {
  const { cluster, inventory, context } = deps;
  const name = namespaceName(fenced.projectId);
  const live = await cluster.readNamespace(name);
  if (live) {
    const row = (await inventory.read(fenced.projectId)).get(`Namespace/${name}`);
    const isOurs = row?.uid === live.metadata.uid || (row?.uid == null && row !== undefined && isLabelledOurs(live, fenced.projectId));
    if (!isOurs) {
      // Also the repeat after ours went and a namespace with others' objects was kept.
      log('warn', 'a namespace that this project did not make is left alone', { projectId: fenced.projectId, namespace: name });
      await inventory.forgetAll(fenced.projectId);
      return;
    }
    if (live.metadata.deletionTimestamp === undefined) {
      if (fenceOf(live) < fenced.fence) await cluster.apply(renderNamespace({ ...fenced, gateway: gatewayOf(live) }));
      const inside = await readLive(deps, fenced.projectId, name);
      const foreign = await foreignIn(deps, fenced.projectId, inside);
      if (foreign.length > 0) {
        log('warn', 'the namespace is kept: it holds objects of others', { projectId: fenced.projectId, foreign });
        for (const [ref, object] of inside.objects) {
          const row = inside.inventory.get(ref);
          const isOurs = row !== undefined && (row.uid === object.metadata.uid || isLabelledOurs(object, fenced.projectId));
          if (isOurs && ref !== 'ServiceAccount/default') await cluster.remove(object, fenced.fence);
        }
        await inventory.forgetAll(fenced.projectId);
        return;
      }
      await cluster.remove({ ...live, kind: 'Namespace' }, fenced.fence);
    }
    const gone = await waitFor(context, GONE_LIMIT_MS, async () => ((await cluster.readNamespace(name))?.metadata.uid === live.metadata.uid ? undefined : true));
    if (!gone) {
      const left = (await cluster.readNamespace(name))?.['status'] as { conditions?: { type: string; status: string; message?: string }[] } | undefined;
      const why = left?.conditions?.filter((condition) => condition.status === 'True').map((condition) => `${condition.type}: ${condition.message ?? ''}`).join('; ');
      throw new AdorableError('Unavailable', `Namespace ${name} is still being deleted${why ? `: ${why}` : '.'}`);
    }
  }
  await inventory.forgetAll(fenced.projectId);
}
