/** Small text files of one app, from a moment's own tree: its migrations and its seeds, with checksums, in the order of their names. */
import { createHash } from 'node:crypto';
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId, TreeHash } from '../../shared/ids.ts';
import { listTree } from './list-tree.ts';
import { readBlobs } from './read-blobs.ts';
import { openRepository } from './repository.ts';

export interface AppAt {
  readonly projectId: ProjectId;
  readonly tree: TreeHash;
  readonly fsDirName: string;
}

export interface TreeMigration {
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

export interface AppFile {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

interface Wanted {
  readonly folder: string;
  readonly pattern: RegExp;
  /** What to do about one that is too large. */
  readonly instead: string;
}

/** They are read whole. */
const MAX_BYTES = 1_000_000;

export async function readMigrations(projectsDir: string, at: AppAt): Promise<readonly TreeMigration[]> {
  const files = await readAppFiles(projectsDir, at, { folder: 'migrations', pattern: /^\d{4}_[a-z0-9_]+\.sql$/, instead: 'split it' });
  return files.map(({ text, ...file }) => ({ ...file, sql: text }));
}

/** A table that another refers to has a name before it (`01_accounts.json`). */
export async function readSeeds(projectsDir: string, at: AppAt): Promise<readonly AppFile[]> {
  return await readAppFiles(projectsDir, at, { folder: 'seeds', pattern: /^[a-z0-9_]+\.json$/, instead: 'seeds are a few rows, load more in the app' });
}

async function readAppFiles(projectsDir: string, { projectId, tree, fsDirName }: AppAt, wanted: Wanted): Promise<readonly AppFile[]> {
  const repository = openRepository(projectsDir, projectId);
  const folder = `apps/${fsDirName}/${wanted.folder}/`;
  const files = (await listTree(repository, tree, folder)).filter(({ type, name }) => type === 'blob' && wanted.pattern.test(name));
  const large = files.find(({ size }) => size > MAX_BYTES);
  if (large) throw new AdorableError('InvalidInput', `${folder}${large.name} is larger than ${String(MAX_BYTES)} bytes: ${wanted.instead}.`);
  const blobs = await readBlobs(repository, files.map(({ object }) => object));
  return files.map(({ name, object }) => {
    const text = blobs.get(object)?.toString('utf8') ?? '';
    return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
  }).sort((a, b) => (a.name < b.name ? -1 : 1));
}
