/**
 * One app's bucket: scaffold → produce → check, in its own scratch worktree, with the result in
 * `refs/adorable/run/<operation>/<app>`. Producers run without the repository's lock, since they
 * may take minutes; only refs are written under it and under the fence. What a failed check can send
 * back is kept at `…/attempt/<app>/<n>`, so that a repeat of the next attempt starts from the same files.
 */
import { lstat, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import type { RevisionId } from '../../shared/ids.ts';
import type { Fenced } from '../../shared/moment.ts';
import type { Bucket, CommitPoint, FailedAttempt, MaterializedApp } from '../../shared/ports.ts';
import type { Declared, DeclaredApp } from '../../shared/spec/declared.ts';
import { readContext } from '../context/read-context.ts';
import { refuseContent } from './app-content.ts';
import { refuseForeignPackages } from './app-packages.ts';
import { refused, refuseEscapes, refuseOutside } from './app-tree.ts';
import type { CodeDeps, Feature } from './code-deps.ts';
import { withFence } from './fence.ts';
import { headOf, openRepository, resolve, runRef, withIndex } from './repository.ts';
import type { Repository } from './repository.ts';
import { fillScratch, keepRun, requireScratch, scratchOf, stageApp } from './scratch.ts';
import type { Scratch } from './scratch.ts';

/** Below the activities' start-to-close of 15 min: what is given up there would begin anew and never end. */
const PRODUCE_MS = 12 * 60_000;

export async function scaffoldApp(deps: CodeDeps, input: Fenced & { app: MaterializedApp }): Promise<void> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const scratch = scratchOf(repository, input, input.app);
  await withFence(repository, input, async (writer) => {
    await fillScratch(repository, scratch, (await headOf(repository)).commit, async (dir) => {
      const appDir = join(dir, 'apps', scratch.slug);
      await mkdir(appDir, { recursive: true });
      await writeFile(join(appDir, 'README.md'), `# ${input.app.name.replace(/\s+/g, ' ')}\n`);
    });
    await keepRun(repository, writer, scratch, {
      date: await deps.operationTime(input.operationId),
      subject: `Scaffold ${scratch.slug}`,
      // Not the app's own ref: what nobody checked is no result.
      refs: [`scaffold/${scratch.appId}`],
    });
  });
}

type Produce = Fenced & { readonly bucket: Bucket; readonly revisionId: RevisionId; readonly previous?: FailedAttempt };

export async function produceApp(deps: CodeDeps, input: Produce): Promise<{ files: number; canMend: boolean }> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const scratch = scratchOf(repository, input, input.bucket);
  const { previous } = input;
  const inTime = AbortSignal.timeout(PRODUCE_MS);
  const declared = await deps.records.declaredAfter(input.revisionId);
  const app = declaredApp(declared, input);
  const features = await deps.records.featuresOf(input.revisionId, input.bucket.featureIds);
  // The fence is asked before minutes are spent; the write that counts asks again.
  const from = await withFence(repository, input, async () => await startingPoint(repository, scratch, previous));
  const context = await readContext(repository, { commit: from, apps: declared.apps, targetAppId: scratch.appId });
  let files = 0;
  await fillScratch(repository, scratch, from, async (dir) => {
    const intoDir = join(dir, 'apps', scratch.slug);
    await mkdir(intoDir, { recursive: true });
    for (const feature of previous === undefined ? features : mending(deps, features)) {
      await deps.producer.produce({ operationId: scratch.operationId, feature, appSlug: scratch.slug, appName: app.name, appKind: app.kind, intoDir, context, inTime, ...(previous === undefined ? {} : { previous }) });
    }
    files = await refuseTree(repository, { ...scratch, dir, appDir: intoDir }, from);
  });
  const attempt = (previous?.attempt ?? 0) + 1;
  const canMend = attempt < deps.produceAttempts && mending(deps, features).length > 0;
  if (canMend) {
    const date = await deps.operationTime(input.operationId);
    await withFence(repository, input, async (writer) => await keepRun(repository, writer, scratch, {
      date, subject: `Attempt ${String(attempt)} at ${scratch.slug}`, refs: [attemptRef(scratch, attempt)],
    }));
  }
  return { files, canMend };
}

/** The last feature that can be mended: its producer has seen what all the others wrote, and the others would write it once more. */
function mending(deps: CodeDeps, features: readonly Feature[]): readonly Feature[] {
  return features.filter((feature) => deps.producer.canMend(feature)).slice(-1);
}

export async function checkApp(deps: CodeDeps, input: Fenced & { bucket: Bucket; attempt?: number }): Promise<CommitPoint> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const scratch = scratchOf(repository, input, input.bucket);
  requireScratch(scratch);
  const from = await startingPoint(repository, scratch);
  await refuseTree(repository, scratch, from);
  const tree = await stageApp(repository, scratch);
  await linkChecked(deps, scratch);
  await deps.producer.check({ scratchDir: scratch.dir, slug: scratch.slug, attempt: input.attempt ?? 1 });
  // What was checked is what becomes history, and the check has left nothing in it.
  await refuseTree(repository, scratch, from);
  if ((await stageApp(repository, scratch)) !== tree) throw refused('IsolationViolated', 'The app changed while it was checked', [`apps/${scratch.slug} is not what it was`]);
  return await withFence(repository, input, async (writer) => {
    return await keepRun(repository, writer, scratch, {
      date: await deps.operationTime(input.operationId),
      subject: `Generate ${scratch.slug}`,
      tree,
      refs: [scratch.appId],
    });
  });
}

/** The attempt before this one, else what was scaffolded for this operation, else HEAD. */
async function startingPoint(repository: Repository, scratch: Scratch, previous?: FailedAttempt): Promise<string> {
  if (previous !== undefined) {
    const kept = await resolve(repository, runRef(scratch.operationId, attemptRef(scratch, previous.attempt)));
    if (kept !== undefined) return kept;
    throw new AdorableError('PreconditionFailed', `Attempt ${String(previous.attempt)} at ${scratch.slug} is not kept in this operation: produce it anew.`, { details: { appId: scratch.appId } });
  }
  return (await resolve(repository, runRef(scratch.operationId, `scaffold/${scratch.appId}`))) ?? (await headOf(repository)).commit;
}

const attemptRef = ({ appId }: Scratch, attempt: number): string => `attempt/${appId}/${String(attempt)}`;

function declaredApp(declared: Declared, input: { bucket: Bucket; revisionId: RevisionId }): DeclaredApp {
  const app = declared.apps.find(({ id }) => id === input.bucket.appId);
  if (app?.slug === input.bucket.slug) return app;
  throw new AdorableError('UnmaterializedApp', `App ${input.bucket.appId} (${input.bucket.slug}) is not declared by revision ${input.revisionId}: nothing was produced.`, {
    details: { appId: input.bucket.appId, revisionId: input.revisionId },
  });
}

/** Whatever the app may not be, before git or a check looks at it; answers its number of files. */
async function refuseTree(repository: Repository, scratch: Scratch, from: string): Promise<number> {
  const files = await refuseEscapes(scratch.appDir);
  const written = await withIndex(repository, async (index) => {
    await repository.git.run(['read-tree', from], { index, workTree: scratch.dir });
    return await refuseOutside(repository.git, { index, scratch: scratch.dir, slug: scratch.slug });
  });
  await refuseContent(scratch.appDir, written);
  await refuseForeignPackages(scratch.appDir);
  return files;
}

/** A link that a producer put in the dependencies' place would be taken for them. */
async function linkChecked(deps: CodeDeps, { appDir, slug }: Scratch): Promise<void> {
  await rm(join(appDir, 'node_modules'), { recursive: true, force: true });
  await linkDependencies(deps, appDir);
  if (!existsSync(join(appDir, 'node_modules'))) throw refused('BuildFailed', `The checks of ${slug} failed`, [`apps/${slug} has no package-lock.json`]);
}

/** The shared dependencies of the app's lockfile, linked where Node and Vite look for them. */
export async function linkDependencies(deps: Pick<CodeDeps, 'ensureDeps'>, appDir: string): Promise<void> {
  const lockfile = join(appDir, 'package-lock.json');
  if (!existsSync(lockfile) || !(await lstat(lockfile)).isFile()) return;
  const link = join(appDir, 'node_modules');
  const target = await deps.ensureDeps(lockfile);
  await rm(link, { recursive: true, force: true });
  await symlink(target, link);
}
