/** What one directory of a tree holds, as every git since 2.34 prints it. */
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

/** `folder` ends with `/`; one that is not there, or is no directory, holds nothing. */
export async function listTree(repository: Repository, tree: TreeHash, folder: string): Promise<readonly TreeChild[]> {
  const listing = await repository.git.run(['ls-tree', '-l', '-z', parseTreeHash(tree), folder]);
  return listing.split('\0').flatMap((line) => {
    const [, type, object, size, path] = /^\d{6} (\w+) ([0-9a-f]{40}) +(\d+|-)\t(.+)$/s.exec(line) ?? [];
    if (type === undefined || object === undefined || path?.startsWith(folder) !== true) return [];
    return [{ type, object, size: size === '-' ? 0 : Number(size), name: path.slice(folder.length) }];
  });
}
