/**
 * Makes the worktree follow a commit: tracked files become the commit's, files that nobody
 * committed stay, except below apps that vanished. Content that git does not have yet is kept at
 * `refs/adorable/rescue/<operation>` before it is overwritten: a person's late edit is never lost.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperationId } from '../../shared/ids.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import { log } from '../../local/log.ts';
import { captureWorktree } from './capture-worktree.ts';
import type { Writer } from './fence.ts';
import { installIndex } from './install-index.ts';
import { removeTree } from './remove-tree.ts';
import { makeCommit, withIndex } from './repository.ts';
import type { Repository } from './repository.ts';
import { appDirOf, appDirs, indexEntries, removeEntries, treeEntries } from './tree-entries.ts';
import type { Entries } from './tree-entries.ts';

export interface Following {
  /** What the worktree followed until now: a commit or a tree. */
  readonly base: string;
  readonly target: CommitPoint;
  readonly operationId: OperationId;
  readonly date: Date;
}

export async function followWorktree(repository: Repository, writer: Writer, follow: Following): Promise<void> {
  const { target } = follow;
  await withIndex(repository, async (index) => {
    const captured = captureWorktree(repository, index, target).then(() => indexEntries(repository, index));
    const [found, before, wanted] = await Promise.all([captured, treeEntries(repository, follow.base), treeEntries(repository, target.tree)]);
    const gone = new Set([...appDirs(before)].filter((dir) => !appDirs(wanted).has(dir)));
    const untracked = [...found.keys()].filter((path) => !before.has(path) && !wanted.has(path));
    const kept = new Set(untracked.filter((path) => !gone.has(appDirOf(path) ?? '') && !isInTheWay(path, wanted)));
    const lost = [...found].filter(([path, value]) => !kept.has(path) && before.get(path) !== value && wanted.get(path) !== value);
    if (lost.length > 0) await rescue(repository, writer, { ...follow, index, files: lost.length });
    await removeEntries(repository, index, [...kept]);
    writer.assertHeld();
    await repository.git.run(['read-tree', '--reset', '-u', target.commit], { index });
    for (const dir of gone) await removeVanished(repository, dir);
    await installIndex(repository, index);
  });
}

interface Rescue extends Following {
  readonly index: string;
  readonly files: number;
}

async function rescue(repository: Repository, writer: Writer, { index, files, target, operationId, date }: Rescue): Promise<void> {
  const tree = (await repository.git.run(['write-tree'], { index })).trim() as CommitPoint['tree'];
  const { commit } = await makeCommit(repository, {
    tree,
    parent: target.commit,
    subject: `Keep ${String(files)} uncommitted file(s) that a restore replaced`,
    trailers: { 'Adorable-Operation': operationId },
    date,
  });
  const ref = `refs/adorable/rescue/${operationId}/${commit.slice(0, 12)}`;
  await writer.updateRefs([{ ref, to: commit }]);
  log('warn', 'uncommitted files were kept before they were replaced', { projectId: repository.projectId, operationId, files, ref });
}

/** A file where the target has a directory, or a directory where it has a file. */
function isInTheWay(path: string, wanted: Entries): boolean {
  for (let at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
    if (wanted.has(path.slice(0, at))) return true;
  }
  const below = `${path}/`;
  for (const other of wanted.keys()) if (other.startsWith(below)) return true;
  return false;
}

/** Ignored leftovers too (node_modules); never through a link that leads out of the worktree. */
async function removeVanished(repository: Repository, dir: string): Promise<void> {
  const apps = await lstat(join(repository.work, 'apps')).catch(() => undefined);
  if (apps?.isDirectory() === true) await removeTree(join(repository.work, 'apps', dir));
}
