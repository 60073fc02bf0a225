/**
 * One `generateApp` per bucket, some side by side. A bucket that fails leaves the others' results in
 * their refs; the run then waits for `resumeRun`, which runs the failed ones again, and gives up
 * as resumable when none comes in time.
 */
import { CancellationScope, executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import type { Resumable } from '../shared/contract/operation.ts';
import type { GenerateAppRequest } from '../shared/contract/generate-project.ts';
import type { FailureType } from '../shared/errors.ts';
import type { OperationId, RevisionId } from '../shared/ids.ts';
import type { Fenced } from '../shared/moment.ts';
import type { Bucket, Reuse } from '../shared/ports.ts';
import { generateApp } from './generate-app.ts';
import { toFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import type { Run } from './run.ts';

export interface Buckets {
  readonly revisionId: RevisionId;
  readonly buckets: readonly Bucket[];
  readonly reuse: Reuse | null;
  /** How long a failed bucket waits for a person. */
  readonly waitMs: number;
}

/** What another attempt of the same bucket, or another revision of its producer, may mend. */
const MENDABLE: ReadonlySet<FailureType> = new Set(['BuildFailed', 'IsolationViolated', 'QuotaExceeded']);

/** One large plan leaves most of a worker's slots to the other projects' runs. */
const AT_ONCE = 8;

export interface FailedBuckets {
  readonly resumable: Resumable;
  readonly why: Failure;
}

interface FailedBucket {
  readonly bucket: Bucket;
  readonly why: Failure;
}

/** Undefined when every bucket has a result; else what a later run may take up. */
export async function generateBuckets(run: Run, fenced: Fenced, { revisionId, buckets, reuse, waitMs }: Buckets): Promise<FailedBuckets | undefined> {
  let failed = await sideBySide(buckets, (bucket) => generate(fenced, { bucket, revisionId, from: reuse?.apps.includes(bucket.appId) === true ? reuse.operationId : undefined }));
  for (;;) {
    const [first] = failed;
    if (first === undefined) return undefined;
    const named = failed.map(({ bucket, why }) => `${bucket.slug} (${why.type}: ${why.message})`).join('; ');
    if (!(await run.waitForResume(`resume: ${named}`, waitMs))) {
      const left = new Set(failed.map(({ bucket }) => bucket.appId));
      const finished = buckets.map(({ appId }) => appId).filter((appId) => !left.has(appId));
      return { resumable: { revisionId, finished, failed: [...left] }, why: { type: first.why.type, message: named } };
    }
    failed = await sideBySide(failed.map(({ bucket }) => bucket), (bucket) => generate(fenced, { bucket, revisionId, from: undefined }));
  }
}

async function generate(fenced: Fenced, { bucket, revisionId, from }: { bucket: Bucket; revisionId: RevisionId; from: OperationId | undefined }): Promise<void> {
  const request: GenerateAppRequest = { fenced, bucket, revisionId, ...(from === undefined ? {} : { from }) };
  await executeChild(generateApp, {
    workflowId: `${workflowInfo().workflowId}/${fenced.operationId}/generate/${bucket.slug}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL, args: [request],
  });
}

/**
 * All of them to their end: what a producer could not make does not stop its siblings. Any other
 * failure, and a cancellation, stops all and waits for them, so that nothing is undone under a running one.
 */
async function sideBySide(buckets: readonly Bucket[], work: (bucket: Bucket) => Promise<void>): Promise<FailedBucket[]> {
  const scope = new CancellationScope({ cancellable: true });
  const failed: FailedBucket[] = [];
  let fatal: { readonly error: unknown } | undefined;
  const waiting = buckets.values();
  const lane = async (): Promise<void> => {
    for (const bucket of waiting) {
      try {
        await work(bucket);
      } catch (error) {
        const why = toFailure(error);
        if (MENDABLE.has(why.type)) failed.push({ bucket, why });
        else {
          fatal ??= { error };
          scope.cancel();
        }
      }
      if (fatal !== undefined) return;
    }
  };
  await scope.run(() => Promise.all(Array.from({ length: AT_ONCE }, lane)));
  if (fatal !== undefined) throw fatal.error;
  return failed;
}
