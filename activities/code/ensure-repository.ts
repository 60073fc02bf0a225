/**
 * A project's repository with its first commit: the empty declared state. Dates come from the
 * operation, so that a repeat, or a repeat after a kill at any point, makes the same commit (I9).
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fenced } from '../../shared/moment.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import { EMPTY_DECLARED } from '../../shared/spec/declared.ts';
import { buildProjectSpec, specText, SPEC_PATH } from '../../shared/spec/project-spec.ts';
import type { CodeDeps } from './code-deps.ts';
import { refuseDeleted, withFence } from './fence.ts';
import { followWorktree } from './follow-worktree.ts';
import { EMPTY_TREE, FOLLOWING, MAIN, makeCommit, pointOf, repositoryOf, resolve, withIndex } from './repository.ts';
import type { Repository } from './repository.ts';
import { writeSpec } from './write-spec.ts';

/** Dependencies are linked into place and caches are rebuilt: neither is history. */
const EXCLUDE = 'node_modules\n.vite\n/apps/*/dist\n';
/** Files are kept byte for byte, whatever a `.gitattributes` in a tree asks for. */
const ATTRIBUTES = '* -text !eol -ident !filter !working-tree-encoding\n';

export async function ensureRepository(deps: CodeDeps, input: Fenced): Promise<CommitPoint> {
  const repository = repositoryOf(deps.projectsDir, input.projectId);
  refuseDeleted(repository, input, 'create');
  await mkdir(deps.projectsDir, { recursive: true, mode: 0o711 });
  for (const dir of [repository.dir, repository.scratch, repository.trees]) await ensureDir(dir, 0o711);
  await ensureDir(repository.work, 0o755);
  await ensureDir(repository.gitDir, 0o700);
  return await withFence(repository, input, async (writer) => {
    const date = await deps.operationTime(input.operationId);
    let head = await pointOf(repository, MAIN);
    if (head === undefined) {
      head = await firstCommit(repository, input, date);
      await repository.git.run(['hash-object', '-t', 'tree', '-w', '--stdin']);
      await writer.updateRefs([
        { ref: MAIN, to: head.commit, from: null },
        { ref: FOLLOWING, to: EMPTY_TREE },
      ]);
    }
    const base = await resolve(repository, FOLLOWING);
    if (base !== undefined) {
      await followWorktree(repository, writer, { base, target: head, operationId: input.operationId, date });
      await writer.updateRefs([{ ref: FOLLOWING, to: null }]);
    }
    return head;
  }, () => initialize(repository));
}

/** Umask may have taken bits away, and an older run may have left other ones. */
async function ensureDir(dir: string, mode: number): Promise<void> {
  await mkdir(dir, { recursive: true, mode });
  await chmod(dir, mode);
}

/** Under the lock and before the fence, which needs an object store; a repeat changes nothing. */
async function initialize(repository: Repository): Promise<void> {
  await repository.git.run(['init', '--quiet', '--initial-branch=main', '--template=']);
  const info = join(repository.gitDir, 'info');
  await mkdir(info, { recursive: true, mode: 0o700 });
  await writeFile(join(info, 'exclude'), EXCLUDE);
  await writeFile(join(info, 'attributes'), ATTRIBUTES);
}

async function firstCommit(repository: Repository, input: Fenced, date: Date): Promise<CommitPoint> {
  return await withIndex(repository, async (index) => {
    await repository.git.run(['read-tree', '--empty'], { index });
    await writeSpec(repository, index, SPEC_PATH, specText(buildProjectSpec(input.projectId, EMPTY_DECLARED)));
    const tree = (await repository.git.run(['write-tree'], { index })).trim() as CommitPoint['tree'];
    return await makeCommit(repository, {
      tree,
      parent: null,
      subject: 'Declare an empty project',
      trailers: { 'Adorable-Operation': input.operationId },
      date,
    });
  });
}
