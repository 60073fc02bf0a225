/** Sources as git objects: what a commit holds, whatever a worktree looks like or its attributes would make of it. */
import { AdorableError } from '../../shared/errors.ts';
import type { Repository } from './repository.ts';

export interface TreeBlob {
  readonly path: string;
  readonly oid: string;
  readonly size: number;
}

/** Regular files below `apps/`; links and nested repositories are none. */
export async function readTreeBlobs(repository: Repository, treeish: string): Promise<readonly TreeBlob[]> {
  const lines = await repository.git.run(['ls-tree', '-r', '-l', '-z', '--full-tree', treeish, '--', 'apps/']);
  return lines.split('\0').flatMap((line) => {
    const [, mode, oid, size, path] = /^(\d+) blob ([0-9a-f]+)\s+(\d+)\t(.*)$/s.exec(line) ?? [];
    return mode === undefined || mode === '120000' || oid === undefined || path === undefined ? [] : [{ path, oid, size: Number(size) }];
  });
}

export async function readBlobs(repository: Repository, oids: readonly string[]): Promise<ReadonlyMap<string, Buffer>> {
  const blobs = new Map<string, Buffer>();
  if (oids.length === 0) return blobs;
  const output = await repository.git.bytes(['cat-file', '--batch'], { input: oids.map((oid) => `${oid}\n`).join('') });
  for (let at = 0; at < output.length;) {
    const end = output.indexOf(0x0a, at);
    const [oid, type, size] = output.toString('latin1', at, end).split(' ');
    if (oid === undefined || type !== 'blob' || size === undefined) throw new AdorableError('Unreachable', 'The repository lacks an object that its tree names: restore it from a backup.', { details: { oid } });
    const start = end + 1;
    blobs.set(oid, output.subarray(start, start + Number(size)));
    at = start + Number(size) + 1;
  }
  return blobs;
}
