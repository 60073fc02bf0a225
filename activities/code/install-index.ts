/**
 * After a ref and the worktree moved, the repository's own index and state say so too: otherwise a
 * person's next `git commit` would undo the move. A live git process keeps its lock and its index.
 */
import { constants } from 'node:fs';
import { copyFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { log } from '../../local/log.ts';
import type { Repository } from './repository.ts';
import { attachedTo, MAIN } from './repository.ts';

/** What a merge, rebase, cherry-pick or revert in the middle leaves behind. */
const HALF_DONE = ['MERGE_HEAD', 'MERGE_MSG', 'MERGE_MODE', 'MERGE_RR', 'AUTO_MERGE', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'REBASE_HEAD', 'SQUASH_MSG', 'rebase-merge', 'rebase-apply', 'sequencer'];

export async function installIndex(repository: Repository, index: string): Promise<void> {
  const { gitDir, git } = repository;
  if ((await attachedTo(repository)) !== MAIN) await git.run(['symbolic-ref', 'HEAD', MAIN]);
  const lock = join(gitDir, 'index.lock');
  try {
    await copyFile(index, lock, constants.COPYFILE_EXCL);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    log('warn', 'a git process holds the index: it was left as it is', { projectId: repository.projectId });
    return;
  }
  await rename(lock, join(gitDir, 'index'));
  for (const name of HALF_DONE) await rm(join(gitDir, name), { recursive: true, force: true });
}
