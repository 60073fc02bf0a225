/**
 * Each app's own tree: what git calls a tree that holds `apps/<slug>` and nothing else. Two moments
 * agree in it exactly when the app's files do, so that a generation restarts the apps that it changed.
 */
import { createHash } from 'node:crypto';
import type { ProjectId, TreeHash } from '../../shared/ids.ts';
import { listTree } from './list-tree.ts';
import { openRepository } from './repository.ts';
import type { Repository } from './repository.ts';

export interface AppTree {
  readonly slug: string;
  /** Of `apps/<slug>` itself. */
  readonly files: string;
  readonly tree: TreeHash;
}

/** Of every directory below `apps`; links and files there are no apps. */
export async function listAppTrees(repository: Repository, tree: TreeHash): Promise<readonly AppTree[]> {
  const children = await listTree(repository, tree, 'apps/');
  return children.filter(({ type }) => type === 'tree').map(({ name, object }) => ({ slug: name, files: object, tree: holding('apps', holding(name, object)) as TreeHash }));
}

/** By the app's directory. */
export async function readAppTrees(projectsDir: string, { projectId, tree }: { projectId: ProjectId; tree: TreeHash }): Promise<Readonly<Record<string, TreeHash>>> {
  return Object.fromEntries((await listAppTrees(openRepository(projectsDir, projectId), tree)).map((app) => [app.slug, app.tree]));
}

/** The name of a tree with one directory in it, as git computes it (gitformat-pack, "tree object"). */
function holding(name: string, hash: string): string {
  const entry = Buffer.concat([Buffer.from(`40000 ${name}\0`), Buffer.from(hash, 'hex')]);
  return createHash('sha1').update(`tree ${String(entry.length)}\0`).update(entry).digest('hex');
}
