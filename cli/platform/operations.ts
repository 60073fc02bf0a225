/** Operations in progress, for `status`: which phase, and what they are stuck in. A platform that does not answer has none to tell. */
import { openRuntime } from '../../client/open.ts';
import { listOpenOperations } from '../../client/reads.ts';
import type { OpenOperation } from '../../client/reads.ts';
import type { PartStatus, StatusResult } from './status.ts';

/** What the answer is read from; without one of them it would have to be waited for. */
const NEEDED: readonly PartStatus['part'][] = ['postgres', 'temporal'];

export async function operationsInProgress({ dataDir, parts }: StatusResult, stuckAfterMs: number | undefined): Promise<readonly OpenOperation[]> {
  if (!NEEDED.every((name) => parts.some(({ part, state }) => part === name && state === 'ready'))) return [];
  const open = await openRuntime(dataDir);
  try {
    return await listOpenOperations(open.database, open.temporal, stuckAfterMs);
  } finally {
    await open.close();
  }
}
