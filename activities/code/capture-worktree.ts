/**
 * Reads the whole worktree into a private index: everything except what is ignored. Files below a
 * person's own nested repository are taken as files, since a gitlink would keep none of them.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from './repository.ts';
import type { CommitPoint } from '../../shared/ports.ts';

/** Also where a `.gitignore` in a tree asks to have them back: it outranks the repository's own rules. */
export const NEVER_HISTORY = [':(exclude,top,glob)**/node_modules', ':(exclude,top,glob)**/node_modules/**', ':(exclude,top,glob)**/.vite/**'];

export async function captureWorktree(repository: Repository, index: string, head: CommitPoint): Promise<void> {
  const { git, work: workTree } = repository;
  const options = { index, workTree };
  // Paths that HEAD tracks stay tracked even where an ignore rule now names them.
  await git.run(['read-tree', head.tree], options);
  const untracked = (await git.run(['ls-files', '-z', '--others', '--exclude-standard'], options)).split('\0');
  const nested = untracked.filter((path) => path.endsWith('/')).map((path) => path.slice(0, -1));
  await git.run(['add', '-A', '--', '.', ...NEVER_HISTORY, ...nested.map((path) => `:(exclude,top,literal)${path}`)], options);
  const files: string[] = [];
  for (const path of nested) await collect(workTree, path, files);
  if (files.length > 0) {
    await git.run(['update-index', '-z', '--add', '--replace', '--stdin'], { ...options, input: files.map((path) => `${path}\0`).join('') });
  }
}

async function collect(root: string, path: string, files: string[]): Promise<void> {
  for (const entry of await readdir(join(root, path), { withFileTypes: true })) {
    if (entry.name.toLowerCase() === '.git' || entry.name === 'node_modules') continue;
    const below = `${path}/${entry.name}`;
    if (entry.isDirectory()) await collect(root, below, files);
    else if (entry.isFile() || entry.isSymbolicLink()) files.push(below);
  }
}
