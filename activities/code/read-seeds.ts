/** The seeds of one app of a moment, from the moment's own tree: `seeds/<table>.json`. */
import { createHash } from 'node:crypto';
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId, TreeHash } from '../../shared/ids.ts';
import { listTree } from './list-tree.ts';
import { openRepository } from './repository.ts';

export interface TreeSeeds {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

const MAX_BYTES = 1_000_000;

/** In the order of their names: a table that another refers to has a name before it (`01_accounts.json`). */
export async function readSeeds(projectsDir: string, input: { projectId: ProjectId; tree: TreeHash; fsDirName: string }): Promise<readonly TreeSeeds[]> {
  const repository = openRepository(projectsDir, input.projectId);
  const folder = `apps/${input.fsDirName}/seeds/`;
  const found: TreeSeeds[] = [];
  for (const { type, size, name } of await listTree(repository, input.tree, folder)) {
    if (type !== 'blob' || !/^[a-z0-9_]+\.json$/.test(name)) continue;
    if (size > MAX_BYTES) throw new AdorableError('InvalidInput', `${folder}${name} is larger than ${String(MAX_BYTES)} bytes: seeds are a few rows, load more in the app.`);
    const text = await repository.git.run(['cat-file', 'blob', `${input.tree}:${folder}${name}`]);
    found.push({ name, text, checksum: createHash('sha256').update(text).digest('hex') });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
