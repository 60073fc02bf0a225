/**
 * `generateApp` (child): one bucket, scoped to one app's tree: produce → isolation check →
 * type-check and build, in a scratch worktree. Type and build errors go back to a producer that can
 * mend them, as often as it may; a tree that leaves itself fails the bucket at once (I10). Its result is
 * a ref that nothing serves.
 */
import { ActivityFailure, ApplicationFailure } from '@temporalio/workflow';
import type { GenerateAppRequest, GenerateAppResult } from '../shared/contract/generate-project.ts';
import type { CheckFinding, FailedAttempt } from '../shared/ports.ts';
import { code } from './activities.ts';

export async function generateApp({ fenced, bucket, revisionId, from }: GenerateAppRequest): Promise<GenerateAppResult> {
  if (from !== undefined) {
    const { point } = await code.adoptResult({ ...fenced, bucket, from });
    if (point !== null) return point;
  }
  let previous: FailedAttempt | undefined;
  for (let attempt = 1; ; attempt++) {
    const { canMend } = await code.produceApp({ ...fenced, bucket, revisionId, ...(previous === undefined ? {} : { previous }) });
    try {
      return await code.checkApp({ ...fenced, bucket, attempt });
    } catch (error) {
      const errors = findingsOf(error);
      // Whether and how often is the worker's setting: a workflow has none of its own.
      if (!canMend || errors.length === 0) throw error;
      previous = { attempt, errors };
    }
  }
}

function findingsOf(error: unknown): readonly CheckFinding[] {
  const inner = error instanceof ActivityFailure ? error.cause : undefined;
  if (!(inner instanceof ApplicationFailure) || inner.type !== 'BuildFailed') return [];
  const [details] = (inner.details ?? []) as readonly { readonly errors?: readonly CheckFinding[] }[];
  return details?.errors ?? [];
}
