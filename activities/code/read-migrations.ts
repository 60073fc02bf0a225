/** The migrations of every app of a moment, from the moment's own tree: names, SQL and checksums. */
import { createHash } from 'node:crypto';
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId, TreeHash } from '../../shared/ids.ts';
import { listTree } from './list-tree.ts';
import { openRepository } from './repository.ts';

export interface TreeMigration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** A migration is read whole: one of a megabyte is no migration. */
const MAX_BYTES = 1_000_000;

export async function readMigrations(projectsDir: string, input: { projectId: ProjectId; tree: TreeHash; fsDirName: string }): Promise<readonly TreeMigration[]> {
  const repository = openRepository(projectsDir, input.projectId);
  const folder = `apps/${input.fsDirName}/migrations/`;
  const found: TreeMigration[] = [];
  for (const { type, size, name } of await listTree(repository, input.tree, folder)) {
    if (type !== 'blob' || !/^\d{4}_[a-z0-9_]+\.sql$/.test(name)) continue;
    if (size > MAX_BYTES) throw new AdorableError('InvalidInput', `Migration ${folder}${name} is larger than ${String(MAX_BYTES)} bytes: split it.`);
    const sql = await repository.git.run(['cat-file', 'blob', `${input.tree}:${folder}${name}`]);
    found.push({ name, sql, checksum: createHash('sha256').update(sql).digest('hex') });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
