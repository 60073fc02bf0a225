/**
 * The immutable checkouts that pods read: `trees/<the app's own tree>/apps/<slug>`, world-readable,
 * writable by nobody, `node_modules` a link to shared dependencies. Complete exactly when it has its
 * name, so that any number of writers may make it at once.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, lstat, readdir, readlink, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProjectId, TreeHash } from '../../shared/ids.ts';
import { listAppTrees } from './app-trees.ts';
import type { AppTree } from './app-trees.ts';
import { checkoutTree } from './checkout-tree.ts';
import type { CodeDeps } from './code-deps.ts';
import { linkDependencies } from './produce-app.ts';
import { removeTree } from './remove-tree.ts';
import { openRepository } from './repository.ts';
import type { Repository } from './repository.ts';

/** A half-filled directory of a killed writer; a live one takes seconds. */
const LEFTOVER_MS = 3_600_000;

/** Every app of the project's tree; answers their checkouts. */
export async function serveApps(deps: CodeDeps, input: { projectId: ProjectId; tree: TreeHash }): Promise<readonly string[]> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const apps = (await listAppTrees(repository, input.tree)).map((app) => ({ ...app, path: join(repository.trees, app.tree) }));
  if (apps.some(({ path }) => !existsSync(path))) await removeLeftovers(repository);
  for (const app of apps) {
    if (existsSync(app.path)) await relink(deps, join(app.path, 'apps', app.slug));
    else await serveApp(deps, repository, app);
  }
  return apps.map(({ path }) => path);
}

async function serveApp(deps: CodeDeps, repository: Repository, { slug, files, path }: AppTree & { readonly path: string }): Promise<void> {
  const prefix = `apps/${slug}/`;
  try {
    await checkoutTree(repository, { treeish: files, prefix }, async (dir) => {
      await linkDependencies(deps, join(dir, prefix));
      await seal(dir);
    }, path);
  } catch (error) {
    // Somebody else's rename came first: theirs holds the same bytes.
    if (!existsSync(path)) throw error;
  }
}

/** A checkout outlives many commits: its dependencies may have been installed anew meanwhile. Swapped under a running pod's feet, whose own are loaded. */
async function relink(deps: CodeDeps, app: string): Promise<void> {
  const lockfile = join(app, 'package-lock.json');
  const link = join(app, 'node_modules');
  const linked = await readlink(link).catch(() => undefined);
  if (linked === undefined || !existsSync(lockfile)) return;
  const target = await deps.ensureDeps(lockfile);
  if (linked === target) return;
  await chmod(app, 0o755);
  try {
    const aside = join(app, `.new-${randomBytes(6).toString('hex')}`);
    await symlink(target, aside);
    await rename(aside, link);
  } finally {
    await chmod(app, 0o555);
  }
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
