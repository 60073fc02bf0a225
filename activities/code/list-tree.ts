/**
 * What one directory of a tree holds, as every git since 2.34 prints it. Kept for a while: a tree's
 * name is the digest of what is in it, and one operation asks for the same one in most of its steps.
 */
import type { TreeHash } from '../../shared/ids.ts';
import { parseTreeHash } from '../../shared/ids.ts';
import type { Repository } from './repository.ts';

export interface TreeChild {
  readonly type: string;
  readonly object: string;
  /** Of a blob, in bytes. */
  readonly size: number;
  /** Within the directory. */
  readonly name: string;
}

const KEPT = 500;
const known = new Map<string, readonly TreeChild[]>();

/** `folder` ends with `/`; one that is not there, or is no directory, holds nothing. */
export async function listTree(repository: Repository, tree: TreeHash, folder: string): Promise<readonly TreeChild[]> {
  const key = [repository.gitDir, tree, folder].join('\0');
  const children = known.get(key) ?? await readTree(repository, parseTreeHash(tree), folder);
  known.delete(key);
  known.set(key, children);
  for (const oldest of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(oldest);
  }
  return children;
}

async function readTree(repository: Repository, tree: TreeHash, folder: string): Promise<readonly TreeChild[]> {
  const listing = await repository.git.run(['ls-tree', '-l', '-z', tree, folder]);
  return listing.split('\0').flatMap((line) => {
    const [, type, object, size, path] = /^\d{6} (\w+) ([0-9a-f]{40}) +(\d+|-)\t(.+)$/s.exec(line) ?? [];
    if (type === undefined || object === undefined || path?.startsWith(folder) !== true) return [];
    return [{ type, object, size: size === '-' ? 0 : Number(size), name: path.slice(folder.length) }];
  });
}
