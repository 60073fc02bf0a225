/**
 * Takes up what an earlier operation made of one app, where the tree that it started from is still
 * HEAD's: what people changed since is never undone by an old result.
 */
import { parseOperationId } from '../../shared/ids.ts';
import type { OperationId } from '../../shared/ids.ts';
import type { Fenced } from '../../shared/moment.ts';
import type { Bucket, CommitPoint } from '../../shared/ports.ts';
import type { CodeDeps } from './code-deps.ts';
import { withFence } from './fence.ts';
import { headOf, openRepository, pointOf, resolve, runRef } from './repository.ts';
import { scratchOf } from './scratch.ts';

/** Null when there is no such result, or when it no longer fits: then the app is produced again. */
export async function adoptResult(deps: CodeDeps, input: Fenced & { bucket: Bucket; from: OperationId }): Promise<{ point: CommitPoint | null }> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const { operationId, appId, slug } = scratchOf(repository, input, input.bucket);
  return await withFence(repository, input, async (writer) => {
    const point = await pointOf(repository, runRef(parseOperationId(input.from), appId));
    if (point === undefined) return { point: null };
    const { commit: head } = await headOf(repository);
    const [then, now] = await Promise.all([resolve(repository, `${point.commit}^1:apps/${slug}`), resolve(repository, `${head}:apps/${slug}`)]);
    if (then !== now) return { point: null };
    await writer.updateRefs([{ ref: runRef(operationId, appId), to: point.commit }]);
    return { point };
  });
}
