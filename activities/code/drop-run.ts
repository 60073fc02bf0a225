/** Ends of life: an operation's refs and scratch worktrees, or everything that a project has on disk. */
import { existsSync } from 'node:fs';
import { mkdir, rename, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseOperationId } from '../../shared/ids.ts';
import type { Fenced } from '../../shared/moment.ts';
import type { CodeDeps } from './code-deps.ts';
import { refuseDeleted, withFence } from './fence.ts';
import { removeTree } from './remove-tree.ts';
import { repositoryOf } from './repository.ts';

/** Absent is success: a repeat, or a project whose repository was never made. */
export async function dropRun(deps: CodeDeps, input: Fenced): Promise<void> {
  const repository = repositoryOf(deps.projectsDir, input.projectId);
  const operationId = parseOperationId(input.operationId);
  if (!existsSync(join(repository.gitDir, 'HEAD'))) return;
  await withFence(repository, input, async (writer) => {
    const refs = (await repository.git.run(['for-each-ref', '--format=%(refname)', `refs/adorable/run/${operationId}/`])).split('\n').filter((ref) => ref !== '');
    if (refs.length > 0) await writer.updateRefs(refs.map((ref) => ({ ref, to: null })));
    await removeTree(join(repository.scratch, operationId));
  });
}

/** Repository, scratch, trees and index. The fence stays behind, so that a late writer makes nothing anew (I2). */
export async function deleteRepository(deps: CodeDeps, input: Fenced): Promise<void> {
  const repository = repositoryOf(deps.projectsDir, input.projectId);
  refuseDeleted(repository, input, 'delete');
  await removeTree(join(repository.dir, '.deleted-repo'));
  if (existsSync(repository.gitDir)) {
    // A provision that was killed in `git init` left something that git can not read yet.
    const complete = async (): Promise<void> => void (await repository.git.run(['init', '--quiet', '--initial-branch=main', '--template=']));
    await withFence(repository, input, async (writer) => {
      await bury(repository.tombstone, input.fence);
      writer.assertHeld();
      // Out of the way in one step: from here on the project has no repository.
      await rename(repository.work, join(repository.dir, '.deleted-repo'));
    }, complete);
  } else {
    await bury(repository.tombstone, input.fence);
  }
  for (const name of ['.deleted-repo', 'repo', 'scratch', 'trees', 'index']) await removeTree(join(repository.dir, name));
  await rmdir(repository.dir).catch((error: unknown) => {
    if (!['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  });
}

async function bury(tombstone: string, fence: number): Promise<void> {
  await mkdir(dirname(tombstone), { recursive: true, mode: 0o700 });
  await writeFile(`${tombstone}.new`, String(fence), { mode: 0o600 });
  await rename(`${tombstone}.new`, tombstone);
}
