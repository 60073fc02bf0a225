/** Reads for plans and receipts: HEAD, whether the worktree is HEAD, and what lies between two moments. */
import { parseCommitSha } from '../../shared/ids.ts';
import type { CommitSha, ProjectId } from '../../shared/ids.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import { captureWorktree } from './capture-worktree.ts';
import type { AppDiff, CodeDeps, CommitLine } from './code-deps.ts';
import { headOf, openRepository, positionOf, withIndex } from './repository.ts';
import { appDirOf } from './tree-entries.ts';

const FILES_SHOWN = 200;
const COMMITS_SHOWN = 100;
/** git's letters: type changes and modifications are both "changed". */
const CHANGE = { A: 'added', D: 'deleted', M: 'changed', T: 'changed' } as const;

export async function readCode(deps: CodeDeps, input: { projectId: ProjectId }): Promise<CommitPoint & { clean: boolean }> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const { head, following } = await positionOf(repository);
  const tree = await withIndex(repository, async (index) => {
    await captureWorktree(repository, index, head);
    return (await repository.git.run(['write-tree'], { index })).trim();
  });
  return { ...head, clean: following === undefined && tree === head.tree };
}

/** HEAD alone: what a claim and a receipt ask for, without a look at every file. */
export async function readHead(deps: Pick<CodeDeps, 'projectsDir'>, input: { projectId: ProjectId }): Promise<CommitPoint> {
  return await headOf(openRepository(deps.projectsDir, input.projectId));
}

export async function diffTrees(deps: CodeDeps, input: { projectId: ProjectId; from: string; to: string }): Promise<readonly AppDiff[]> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const [from, to] = [parseCommitSha(input.from), parseCommitSha(input.to)];
  const words = (await repository.git.run(['diff-tree', '-r', '-z', '--no-renames', '--name-status', from, to])).split('\0');
  const apps = new Map<string, { added: number; changed: number; deleted: number; files: AppDiff['files'][number][] }>();
  for (let at = 0; at + 1 < words.length; at += 2) {
    const change = CHANGE[words[at] as keyof typeof CHANGE];
    const path = words[at + 1] ?? '';
    const app = appDirOf(path) ?? '';
    const row = apps.get(app) ?? { added: 0, changed: 0, deleted: 0, files: [] };
    row[change]++;
    if (row.files.length < FILES_SHOWN) row.files.push({ path, change });
    apps.set(app, row);
  }
  return [...apps].sort(([a], [b]) => (a < b ? -1 : 1)).map(([app, row]) => ({ app, ...row }));
}

/** Commits that `to` has and `from` has not, newest first. */
export async function commitsBetween(deps: CodeDeps, input: { projectId: ProjectId; from: CommitSha; to: CommitSha }): Promise<readonly CommitLine[]> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const range = `${parseCommitSha(input.from)}..${parseCommitSha(input.to)}`;
  const text = await repository.git.run(['log', '-z', `--max-count=${String(COMMITS_SHOWN)}`, '--format=%H %s', range]);
  return text.split('\0').filter((line) => line !== '').map((line) => ({ sha: parseCommitSha(line.slice(0, 40)), subject: line.slice(41) }));
}
