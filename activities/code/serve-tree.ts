/**
 * The immutable checkout that pods read: `trees/<tree hash>`, world-readable, writable by nobody,
 * each app's `node_modules` a link to shared dependencies. Complete exactly when it has its name,
 * so that any number of writers may make it at once.
 */
import { existsSync } from 'node:fs';
import { chmod, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseTreeHash } from '../../shared/ids.ts';
import type { ProjectId, TreeHash } from '../../shared/ids.ts';
import { checkoutTree } from './checkout-tree.ts';
import type { CodeDeps } from './code-deps.ts';
import { linkDependencies } from './produce-app.ts';
import { removeTree } from './remove-tree.ts';
import { openRepository } from './repository.ts';
import type { Repository } from './repository.ts';

/** A half-filled directory of a killed writer; a live one takes seconds. */
const LEFTOVER_MS = 3_600_000;

export async function serveTree(deps: CodeDeps, input: { projectId: ProjectId; tree: TreeHash }): Promise<{ path: string }> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const path = join(repository.trees, parseTreeHash(input.tree));
  if (existsSync(path)) return { path };
  await removeLeftovers(repository);
  try {
    await checkoutTree(repository, input.tree, async (dir) => {
      for (const app of await appDirectories(dir)) await linkDependencies(deps, app);
      await seal(dir);
    }, path);
  } catch (error) {
    // Somebody else's rename came first: theirs holds the same bytes.
    if (!existsSync(path)) throw error;
  }
  return { path };
}

/** Real directories only: a link in the tree must not get a link written behind it. */
async function appDirectories(dir: string): Promise<readonly string[]> {
  const apps = join(dir, 'apps');
  if ((await lstat(apps).catch(() => undefined))?.isDirectory() !== true) return [];
  const entries = await readdir(apps, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(apps, entry.name));
}

async function seal(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    if (entry.isDirectory()) await seal(below);
    else if (entry.isFile()) await chmod(below, ((await lstat(below)).mode & 0o111) === 0 ? 0o444 : 0o555);
  }
  await chmod(path, 0o555);
}

async function removeLeftovers(repository: Repository): Promise<void> {
  const names = await readdir(repository.trees).catch(() => []);
  for (const name of names.filter((text) => text.startsWith('.new-'))) {
    const path = join(repository.trees, name);
    const found = await lstat(path).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > LEFTOVER_MS) await removeTree(path);
  }
}
