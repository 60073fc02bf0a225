/**
 * One project's place on disk and the few reads that everything else is built from. Paths come
 * from parsed ids only, so that no input can name a place outside its project (I8).
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import { parseProjectId, parseTreeHash } from '../../shared/ids.ts';
import type { CommitSha, OperationId, ProjectId, TreeHash } from '../../shared/ids.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import { createGit } from './adapters/git.ts';
import type { Git } from './adapters/git.ts';

/** The project's one line of history. A person may check out another branch; it stays theirs. */
export const MAIN = 'refs/heads/main';
/** What the worktree still is while a moved HEAD has not reached it yet; absent otherwise. */
export const FOLLOWING = 'refs/adorable/following';
export const EMPTY_TREE = parseTreeHash('4b825dc642cb6eb9a060e54bf8d69288fbee4904');

export interface Repository {
  readonly projectId: ProjectId;
  /** `DATA/projects/<id>` */
  readonly dir: string;
  readonly work: string;
  readonly gitDir: string;
  readonly scratch: string;
  readonly trees: string;
  /** What is left of a deleted project: the fence, so that a late writer is still refused. */
  readonly tombstone: string;
  readonly git: Git;
}

export function repositoryOf(projectsDir: string, projectId: unknown): Repository {
  const id = parseProjectId(projectId);
  const dir = join(projectsDir, id);
  const work = join(dir, 'repo');
  const gitDir = join(work, '.git');
  return {
    projectId: id,
    dir,
    work,
    gitDir,
    scratch: join(dir, 'scratch'),
    trees: join(dir, 'trees'),
    tombstone: join(projectsDir, '.deleted', id),
    git: createGit(gitDir, work),
  };
}

/** Refuses a project that has none, before git could print a path. */
export function openRepository(projectsDir: string, projectId: unknown): Repository {
  const repository = repositoryOf(projectsDir, projectId);
  if (existsSync(join(repository.gitDir, 'HEAD'))) return repository;
  throw new AdorableError('NotFound', `Project ${repository.projectId} has no repository: provision it first.`, {
    details: { projectId: repository.projectId },
  });
}

export async function resolve(repository: Repository, rev: string): Promise<string | undefined> {
  return await repository.git.probe(['rev-parse', '--verify', '--quiet', '--end-of-options', rev]);
}

/** Any number of revisions of what never changes, by one process: starting it costs more than the look. */
export async function resolveAll(repository: Repository, revs: readonly string[]): Promise<readonly (string | undefined)[]> {
  const output = await repository.git.run(['cat-file', '--batch-check=%(objectname)'], { input: revs.map((rev) => `${rev}\n`).join('') });
  const lines = output.split('\n');
  return revs.map((_, index) => (/^[0-9a-f]{40}$/.test(lines[index] ?? '') ? lines[index] : undefined));
}

export async function pointOf(repository: Repository, rev: string): Promise<CommitPoint | undefined> {
  const [commit, tree] = await resolveAll(repository, [`${rev}^{commit}`, `${rev}^{tree}`]);
  return commit === undefined || tree === undefined ? undefined : { commit: commit as CommitSha, tree: tree as TreeHash };
}

export interface Position {
  readonly head: CommitPoint;
  /** What the head's commit says of who made it, and why, where an operation did. */
  readonly madeBy: { readonly operation: string; readonly reason: string };
  /** What the worktree still is, when a moved HEAD has not reached it. */
  readonly following: string | undefined;
}

/** One look at refs that move: a commit and its tree, never those of two moments. */
export async function positionOf(repository: Repository): Promise<Position> {
  const output = await repository.git.run(['for-each-ref', '--format=%(refname)%00%(objectname)%00%(tree)%00%(trailers:only,unfold)%00', MAIN, FOLLOWING]);
  const refs = new Map(output.split('\0\n').map((record) => record.split('\0')).map(([ref = '', object, tree, trailers = '']) => [ref, { object, tree, madeBy: makerIn(trailers) }] as const));
  const main = refs.get(MAIN);
  if (main?.object !== undefined && main.tree !== undefined) {
    return { head: { commit: main.object as CommitSha, tree: main.tree as TreeHash }, madeBy: main.madeBy, following: refs.get(FOLLOWING)?.object };
  }
  throw new AdorableError('NotFound', `Project ${repository.projectId} has no commit yet: provision it first.`, {
    details: { projectId: repository.projectId },
  });
}

function makerIn(trailers: string): Position['madeBy'] {
  const value = (key: string): string => new RegExp(`^${key}: (.*)$`, 'm').exec(trailers)?.[1] ?? '';
  return { operation: value('Adorable-Operation'), reason: value('Adorable-Reason') };
}

export async function headOf(repository: Repository): Promise<CommitPoint> {
  return (await positionOf(repository)).head;
}

/** The branch that HEAD names; undefined when it is detached. Read as git itself writes it. */
export async function attachedTo(repository: Repository): Promise<string | undefined> {
  return /^ref: (\S+)$/m.exec(await readFile(join(repository.gitDir, 'HEAD'), 'utf8'))?.[1];
}

/** An index file of our own: a stale lock, a half-staged index or a merge in the real one do not matter. */
export async function withIndex<T>(repository: Repository, work: (index: string) => Promise<T>): Promise<T> {
  const dir = join(repository.gitDir, 'adorable');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const index = join(dir, `index-${String(process.pid)}-${randomBytes(6).toString('hex')}`);
  try {
    return await work(index);
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}

export interface NewCommit {
  readonly tree: TreeHash;
  readonly parent: CommitSha | null;
  readonly subject: string;
  readonly body?: readonly string[];
  readonly trailers: Readonly<Record<string, string>>;
  readonly date: Date;
}

export async function makeCommit(repository: Repository, wanted: NewCommit): Promise<CommitPoint> {
  const trailers = Object.entries(wanted.trailers).map(([key, value]) => `${key}: ${oneLine(value)}`);
  const paragraphs = [oneLine(wanted.subject), ...(wanted.body?.length ? [wanted.body.map(oneLine).join('\n')] : []), trailers.join('\n')];
  const parents = wanted.parent === null ? [] : ['-p', wanted.parent];
  const commit = await repository.git.run(['commit-tree', wanted.tree, ...parents, '-F', '-'], {
    input: `${paragraphs.join('\n\n')}\n`,
    date: wanted.date,
  });
  return { commit: commit.trim() as CommitSha, tree: wanted.tree };
}

/** Text from outside must not be able to forge a trailer. */
function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]+/g, ' ').trim().slice(0, 400);
}

export function runRef(operationId: OperationId, name: string): string {
  return `refs/adorable/run/${operationId}/${name}`;
}
