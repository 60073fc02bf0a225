/**
 * The one commit of a generation: HEAD's tree, each bucket's app from its run ref, and the new
 * spec. It is kept at `refs/adorable/run/<operation>/result`; HEAD moves only in `restoreVersion`,
 * so that nothing a person can reach changes before `decide`.
 */
import { AdorableError } from '../../shared/errors.ts';
import { parseOperationId } from '../../shared/ids.ts';
import type { RevisionId } from '../../shared/ids.ts';
import type { Fenced } from '../../shared/moment.ts';
import type { Bucket, CommitPoint } from '../../shared/ports.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import { buildProjectSpec, specText, SPEC_PATH } from '../../shared/spec/project-spec.ts';
import type { CodeDeps } from './code-deps.ts';
import { withFence } from './fence.ts';
import { headOf, makeCommit, openRepository, pointOf, resolve, runRef, withIndex } from './repository.ts';
import type { Repository } from './repository.ts';
import { scratchOf } from './scratch.ts';
import { appDirs, indexEntries } from './tree-entries.ts';
import { writeSpec } from './write-spec.ts';

type Compose = Fenced & { readonly buckets: readonly Bucket[]; readonly revisionId: RevisionId };

export async function composeCommit(deps: CodeDeps, input: Compose): Promise<CommitPoint> {
  const repository = openRepository(deps.projectsDir, input.projectId);
  const ref = runRef(parseOperationId(input.operationId), 'result');
  const declared = await deps.records.declaredAfter(input.revisionId);
  const body = await featureLines(deps, input);
  return await withFence(repository, input, async (writer) => {
    const head = await headOf(repository);
    const earlier = await pointOf(repository, ref);
    // A repeat after HEAD has moved there: composing on top of itself would make a second commit.
    if (earlier !== undefined && earlier.commit === head.commit) return earlier;
    const point = await makeCommit(repository, {
      tree: await composeTree(repository, input, declared),
      parent: head.commit,
      subject: `Generate ${input.buckets.map(({ slug }) => slug).join(', ') || 'the declared services'}`,
      body,
      trailers: { 'Adorable-Revision': input.revisionId, 'Adorable-Operation': input.operationId },
      date: await deps.operationTime(input.operationId),
    });
    await writer.updateRefs([{ ref, to: point.commit }]);
    return point;
  });
}

/** What a person reads in `git log`: each feature under its app. */
async function featureLines(deps: CodeDeps, { buckets, revisionId }: Compose): Promise<readonly string[]> {
  const lines = await Promise.all(buckets.map(async ({ slug, featureIds }) => {
    const features = await deps.records.featuresOf(revisionId, featureIds);
    return features.map(({ id, title }) => `- ${slug}: ${title} (${id})`);
  }));
  return lines.flat();
}

async function composeTree(repository: Repository, input: Compose, declared: Declared): Promise<CommitPoint['tree']> {
  return await withIndex(repository, async (index) => {
    await repository.git.run(['read-tree', (await headOf(repository)).commit], { index });
    for (const bucket of input.buckets) {
      const { slug, appId } = scratchOf(repository, input, bucket);
      const subtree = await resolve(repository, `${runRef(input.operationId, appId)}:apps/${slug}`);
      if (subtree === undefined) {
        throw new AdorableError('PreconditionFailed', `App ${slug} has no checked result in this operation: check it first.`, { details: { appId, slug } });
      }
      await repository.git.run(['rm', '-r', '-f', '-q', '--cached', '--ignore-unmatch', '--', `:(top,literal)apps/${slug}`], { index });
      await repository.git.run(['read-tree', `--prefix=apps/${slug}/`, subtree], { index });
    }
    await writeSpec(repository, index, SPEC_PATH, specText(buildProjectSpec(input.projectId, declared)));
    const present = appDirs(await indexEntries(repository, index));
    const missing = declared.apps.filter(({ fsDirName }) => !present.has(fsDirName)).map(({ slug }) => slug);
    if (missing.length > 0) {
      throw new AdorableError('InvariantViolated', `The spec declares ${missing.join(', ')}, but there is no code for it: nothing was committed.`, { details: { missing } });
    }
    return (await repository.git.run(['write-tree'], { index })).trim() as CommitPoint['tree'];
  });
}
