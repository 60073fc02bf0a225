/**
 * Specs in commits. A proposed one, with its `$NEW:<feature>` literals, lives only at
 * `refs/adorable/plan/<revision>`: HEAD's spec changes only in a generation's commit, so that no
 * checkpoint ever declares what was not yet made.
 */
import { AdorableError } from '../../shared/errors.ts';
import { parseCommitSha, parseRevisionId } from '../../shared/ids.ts';
import type { CommitSha, ProjectId, RevisionId } from '../../shared/ids.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import { refused } from '../../shared/architect/validate-plan.ts';
import { parseSpec, SPEC_PATH } from '../../shared/spec/project-spec.ts';
import type { ProjectSpec } from '../../shared/spec/project-spec.ts';
import type { CodeDeps } from './code-deps.ts';
import { withLock } from './fence.ts';
import { headOf, makeCommit, openRepository, resolve, withIndex } from './repository.ts';
import { writeSpec } from './write-spec.ts';

/** Specs are a few kilobytes; they are read whole. */
const MAX_BYTES = 4_000_000;

interface OfRevision {
  readonly projectId: ProjectId;
  readonly revisionId: RevisionId;
}

export async function writePlanSpec(deps: CodeDeps, input: OfRevision & { document: unknown }): Promise<{ commit: CommitSha }> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const ref = planRef(input.revisionId);
  return await withLock(repository, async (writer) => {
    const head = await headOf(repository);
    // HEAD's own date: the same proposal on the same HEAD is the same commit.
    const seconds = (await repository.git.run(['show', '-s', '--format=%ct', head.commit])).trim();
    const tree = await withIndex(repository, async (index) => {
      await repository.git.run(['read-tree', head.commit], { index });
      await writeSpec(repository, index, SPEC_PATH, documentText(input.document));
      return (await repository.git.run(['write-tree'], { index })).trim() as CommitPoint['tree'];
    });
    const { commit } = await makeCommit(repository, {
      tree,
      parent: head.commit,
      subject: `Propose plan revision ${input.revisionId}`,
      trailers: { 'Adorable-Revision': input.revisionId },
      date: new Date(Number(seconds) * 1000),
    });
    await writer.updateRefs([{ ref, to: commit }]);
    return { commit };
  });
}

/** The proposal as it is now, or as one commit had it: nonsense is refused here or by `validatePlan`, never trusted. */
export async function readPlanSpec(deps: CodeDeps, input: OfRevision & { commit?: CommitSha }): Promise<{ commit: CommitSha; document: unknown }> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const commit = await resolve(repository, `${input.commit === undefined ? planRef(input.revisionId) : parseCommitSha(input.commit)}^{commit}`);
  const text = commit === undefined ? undefined : await readAt(deps, input.projectId, commit);
  if (commit === undefined || text === undefined) {
    throw new AdorableError('NotFound', `Project ${repository.projectId} has no proposed plan ${input.revisionId}: send the message again.`, {
      details: { revisionId: input.revisionId },
    });
  }
  return { commit: parseCommitSha(commit), document: parseDocument(text, input.revisionId) };
}

function parseDocument(text: string, revisionId: RevisionId): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused([{ code: 'shape', at: 'the plan', message: `The plan at ${planRef(revisionId)} is not JSON.` }]);
  }
}

export async function readSpecAt(deps: CodeDeps, input: { projectId: ProjectId; commit: CommitSha }): Promise<ProjectSpec> {
  const text = await readAt(deps, input.projectId, parseCommitSha(input.commit));
  if (text !== undefined) return parseSpec(text);
  throw new AdorableError('Unreachable', `Commit ${input.commit} holds no ${SPEC_PATH}: choose another checkpoint.`, { details: { commit: input.commit } });
}

async function readAt(deps: CodeDeps, projectId: ProjectId, rev: string): Promise<string | undefined> {
  const repository = openRepository(deps.projectsDir, projectId);
  const commit = await resolve(repository, `${rev}^{commit}`);
  const blob = commit === undefined ? undefined : await resolve(repository, `${commit}:${SPEC_PATH}`);
  if (blob === undefined) return undefined;
  if (Number((await repository.git.run(['cat-file', '-s', blob])).trim()) > MAX_BYTES) throw new AdorableError('InvalidInput', `${SPEC_PATH} at ${rev} is larger than ${String(MAX_BYTES)} bytes: restore it from git.`);
  return await repository.git.run(['cat-file', 'blob', blob]);
}

function planRef(revisionId: RevisionId): string {
  return `refs/adorable/plan/${parseRevisionId(revisionId)}`;
}

function documentText(document: unknown): string {
  return `${JSON.stringify(document, (_key, value: unknown) => isPlain(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value, 2)}\n`;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
