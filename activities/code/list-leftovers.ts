/** What operations left in a project's repository and beside it, for a sweep: run refs, scratch worktrees, served trees. */
import { readdir } from 'node:fs/promises';
import type { CommitSha, OperationId, ProjectId, TreeHash } from '../../shared/ids.ts';
import type { ReapFacts } from '../../shared/restore/reap.ts';
import { listAppTrees } from './app-trees.ts';
import { headOf, MAIN, openRepository } from './repository.ts';
import type { Repository } from './repository.ts';

const RUNS = 'refs/adorable/run/';
const OPERATION = /^op_[a-z0-9]{12}$/;
const TREE = /^[0-9a-f]{40}$/;

export async function listLeftovers(projectsDir: string, projectId: ProjectId): Promise<Pick<ReapFacts, 'runs' | 'trees' | 'served'>> {
  const repository = openRepository(projectsDir, projectId);
  const [head, refs, unmerged, scratch, trees] = await Promise.all([
    headOf(repository), runRefs(repository, []), runRefs(repository, [`--no-merged=${MAIN}`]), names(repository.scratch), names(repository.trees),
  ]);
  const operations = new Set([...refs.map((ref) => ref.operationId), ...(scratch.filter((name) => OPERATION.test(name)) as OperationId[])]);
  return {
    served: (await listAppTrees(repository, head.tree)).map(({ tree }) => tree),
    runs: [...operations].sort().map((operationId) => ({ operationId, unmerged: unmerged.filter((ref) => ref.operationId === operationId).map((ref) => ref.commit) })),
    trees: trees.filter((name) => TREE.test(name)) as TreeHash[],
  };
}

async function runRefs(repository: Repository, filter: readonly string[]): Promise<{ operationId: OperationId; commit: CommitSha }[]> {
  const lines = await repository.git.run(['for-each-ref', ...filter, '--format=%(objectname) %(refname)', RUNS]);
  return lines.split('\n').flatMap((line) => {
    const [commit, ref] = line.split(' ');
    const operation = ref?.slice(RUNS.length).split('/')[0] ?? '';
    return commit !== undefined && OPERATION.test(operation) ? [{ operationId: operation as OperationId, commit: commit as CommitSha }] : [];
  });
}

async function names(directory: string): Promise<readonly string[]> {
  return await readdir(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
}
