/**
 * `generateApp` (child): one bucket, scoped to one app's tree: produce → isolation check →
 * type-check and build, in a scratch worktree. Its result is a ref that nothing serves.
 */
import type { GenerateAppRequest, GenerateAppResult } from '../shared/contract/generate-project.ts';
import { code } from './activities.ts';

export async function generateApp({ fenced, bucket, revisionId, from }: GenerateAppRequest): Promise<GenerateAppResult> {
  if (from !== undefined) {
    const { point } = await code.adoptResult({ ...fenced, bucket, from });
    if (point !== null) return point;
  }
  await code.produceApp({ ...fenced, bucket, revisionId });
  return await code.checkApp({ ...fenced, bucket });
}
