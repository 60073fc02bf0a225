/**
 * Served trees that nothing needs, deleted under the project's fence. HEAD's are refused whoever asks:
 * pods are about to read them. Each is renamed away first, so that a half-deleted one is never served.
 */
import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import { parseTreeHash } from '../../shared/ids.ts';
import type { TreeHash } from '../../shared/ids.ts';
import type { Fenced } from '../../shared/moment.ts';
import { listAppTrees } from './app-trees.ts';
import { withFence } from './fence.ts';
import { removeTree } from './remove-tree.ts';
import { headOf, openRepository } from './repository.ts';

export async function dropTrees(projectsDir: string, { trees, ...fenced }: Fenced & { readonly trees: readonly TreeHash[] }): Promise<void> {
  const repository = openRepository(projectsDir, fenced.projectId);
  await withFence(repository, fenced, async (writer) => {
    const { tree: head } = await headOf(repository);
    const served = new Set((await listAppTrees(repository, head)).map(({ tree }) => tree));
    for (const tree of trees.map(parseTreeHash)) {
      if (served.has(tree)) throw new AdorableError('InvariantViolated', `Tree ${tree} is an app's of HEAD: it is served.`);
      const path = join(repository.trees, tree);
      // `.new-…` is what `serveApps` clears away when it grows old: a kill in between leaks nothing.
      const away = join(repository.trees, `.new-dropped-${tree}`);
      writer.assertHeld();
      if (existsSync(path)) await rename(path, away);
      await removeTree(away);
    }
  });
}
