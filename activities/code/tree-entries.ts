/** What a tree or an index holds: path → `<mode> <object>`, the unit in which worktrees are compared. */
import type { Repository } from './repository.ts';

export type Entries = ReadonlyMap<string, string>;

export async function treeEntries(repository: Repository, treeish: string): Promise<Map<string, string>> {
  return parse(await repository.git.run(['ls-tree', '-r', '-z', '--full-tree', treeish]), ([mode, , oid]) => `${mode ?? ''} ${oid ?? ''}`);
}

export async function indexEntries(repository: Repository, index: string): Promise<Map<string, string>> {
  return parse(await repository.git.run(['ls-files', '-z', '--stage'], { index }), ([mode, oid]) => `${mode ?? ''} ${oid ?? ''}`);
}

function parse(output: string, value: (words: readonly string[]) => string): Map<string, string> {
  const entries = new Map<string, string>();
  for (const line of output.split('\0')) {
    const tab = line.indexOf('\t');
    if (tab > 0) entries.set(line.slice(tab + 1), value(line.slice(0, tab).split(' ')));
  }
  return entries;
}

/** `apps/<dir>` that a path lies in, if it lies in one. */
export function appDirOf(path: string): string | undefined {
  return /^apps\/([^/]+)\//.exec(path)?.[1];
}

export function appDirs(entries: Entries): Set<string> {
  const dirs = new Set<string>();
  for (const path of entries.keys()) {
    const dir = appDirOf(path);
    if (dir !== undefined) dirs.add(dir);
  }
  return dirs;
}

/** Writes entries into an index; a file gives way to a directory and the other way round. */
export async function addEntries(repository: Repository, index: string, entries: Iterable<readonly [string, string]>): Promise<void> {
  const lines = [...entries].map(([path, value]) => `${value} 0\t${path}\0`);
  if (lines.length > 0) await repository.git.run(['update-index', '-z', '--add', '--replace', '--index-info'], { index, input: lines.join('') });
}

export async function removeEntries(repository: Repository, index: string, paths: readonly string[]): Promise<void> {
  if (paths.length === 0) return;
  await repository.git.run(['update-index', '-z', '--force-remove', '--stdin'], { index, input: paths.map((path) => `${path}\0`).join('') });
}
