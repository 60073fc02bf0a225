/** Writes a tree's files to a directory that appears whole or not at all: filled aside, then renamed. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { removeTree } from './remove-tree.ts';
import { withIndex } from './repository.ts';
import type { Repository } from './repository.ts';

/** `prefix` is the directory that the tree's files go to, with its `/`; `finish` runs on the whole before it gets its name. */
export async function checkoutTree(repository: Repository, { treeish, prefix }: { treeish: string; prefix?: string }, finish: (dir: string) => Promise<void>, target: string): Promise<void> {
  const parent = dirname(target);
  await mkdir(parent, { recursive: true, mode: 0o711 });
  const aside = join(parent, `.new-${String(process.pid)}-${randomBytes(6).toString('hex')}`);
  await mkdir(aside);
  // Pods and checks run under other uids, whatever the umask here.
  await chmod(parent, 0o711);
  await chmod(aside, 0o755);
  try {
    await withIndex(repository, async (index) => {
      await repository.git.run(['read-tree', ...(prefix === undefined ? [] : [`--prefix=${prefix}`]), treeish], { index });
      await repository.git.run(['checkout-index', '--all', '--force', `--prefix=${aside}/`], { index });
    });
    await finish(aside);
    await rename(aside, target);
  } finally {
    await removeTree(aside);
  }
}
