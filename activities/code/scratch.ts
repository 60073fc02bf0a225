/**
 * The scratch worktree of one app in one operation: HEAD's files without a `.git`, where producers
 * write. Nothing that a person can reach changes there (DESIGN §3.2).
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import { parseAppId, parseOperationId } from '../../shared/ids.ts';
import type { AppId, OperationId } from '../../shared/ids.ts';
import { parseSlug } from '../../shared/slug.ts';
import type { Fenced } from '../../shared/moment.ts';
import type { CommitPoint } from '../../shared/ports.ts';
import { NEVER_HISTORY } from './capture-worktree.ts';
import { checkoutTree } from './checkout-tree.ts';
import type { Writer } from './fence.ts';
import { removeTree } from './remove-tree.ts';
import { headOf, makeCommit, runRef, withIndex } from './repository.ts';
import type { Repository } from './repository.ts';

export interface Scratch {
  readonly dir: string;
  readonly slug: string;
  readonly appId: AppId;
  readonly operationId: OperationId;
  /** `<scratch>/apps/<slug>` */
  readonly appDir: string;
}

export function scratchOf(repository: Repository, input: Fenced, app: { appId: string; slug: string }): Scratch {
  const appId = parseAppId(app.appId);
  const operationId = parseOperationId(input.operationId);
  const slug = parseSlug(app.slug);
  const dir = join(repository.scratch, operationId, appId);
  return { dir, slug, appId, operationId, appDir: join(dir, 'apps', slug) };
}

/** Replaces the scratch worktree: a late attempt that still writes aside can not mix into it. */
export async function fillScratch(repository: Repository, scratch: Scratch, from: string, fill: (dir: string) => Promise<void>): Promise<void> {
  await checkoutTree(repository, { treeish: from }, async (dir) => {
    await fill(dir);
    await removeTree(scratch.dir);
  }, scratch.dir);
}

export function requireScratch(scratch: Scratch): void {
  if (existsSync(scratch.appDir)) return;
  throw new AdorableError('PreconditionFailed', `App ${scratch.slug} has not been produced in this operation: produce it first.`, {
    details: { appId: scratch.appId, operationId: scratch.operationId },
  });
}

/** HEAD's tree with only `apps/<slug>` replaced by the scratch worktree's, whatever a `.gitignore` in it would hide. */
export async function stageApp(repository: Repository, scratch: Scratch): Promise<CommitPoint['tree']> {
  const head = await headOf(repository);
  return await withIndex(repository, async (index) => {
    const options = { index, workTree: scratch.dir };
    await repository.git.run(['read-tree', head.commit], options);
    await repository.git.run(['add', '-A', '-f', '--', `:(top,literal)apps/${scratch.slug}`, ...NEVER_HISTORY], options);
    return (await repository.git.run(['write-tree'], options)).trim() as CommitPoint['tree'];
  });
}

export interface Result {
  readonly date: Date;
  readonly subject: string;
  /** Names below the operation's run refs. */
  readonly refs: readonly string[];
  /** Left out: what the scratch worktree holds now. */
  readonly tree?: CommitPoint['tree'];
}

export async function keepRun(repository: Repository, writer: Writer, scratch: Scratch, commit: Result): Promise<CommitPoint> {
  const head = await headOf(repository);
  const tree = commit.tree ?? (await stageApp(repository, scratch));
  const point = await makeCommit(repository, {
    tree,
    parent: head.commit,
    subject: commit.subject,
    trailers: { 'Adorable-App': scratch.appId, 'Adorable-Operation': scratch.operationId },
    date: commit.date,
  });
  await writer.updateRefs(commit.refs.map((name) => ({ ref: runRef(scratch.operationId, name), to: point.commit })));
  return point;
}
