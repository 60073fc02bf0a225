/** Whether git still holds a moment whole: its commit, that commit's tree, and every object below it. */
import { AdorableError } from '../../shared/errors.ts';
import type { CommitSha, ProjectId, TreeHash } from '../../shared/ids.ts';
import { openRepository, pointOf } from './repository.ts';

export interface HeldMoment {
  /** The tree of the commit as git says it; undefined where the commit is not there. */
  readonly tree: TreeHash | undefined;
  readonly objects: number;
  /** What git misses, in its words. */
  readonly missing: string | undefined;
}

export async function readHeldMoment(projectsDir: string, { projectId, commit }: { projectId: ProjectId; commit: CommitSha }): Promise<HeldMoment> {
  const repository = openRepository(projectsDir, projectId);
  const point = await pointOf(repository, commit);
  if (point === undefined) return { tree: undefined, objects: 0, missing: `commit ${commit}` };
  try {
    // Walks every tree and asks for every blob: an object that is gone fails here.
    const objects = (await repository.git.run(['rev-list', '--objects', '--no-object-names', point.tree])).trim().split('\n').length;
    return { tree: point.tree, objects, missing: undefined };
  } catch (error) {
    if (!(error instanceof AdorableError)) throw error;
    return { tree: point.tree, objects: 0, missing: error.message };
  }
}
