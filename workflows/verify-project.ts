/**
 * `verifyProject`: reads every store back against the current moment and answers with the receipt;
 * for a named checkpoint it answers with the proof that this past moment is still restorable.
 */
import type { VerifyRequest } from '../shared/contract/life.ts';
import type { CheckpointProof, Receipt } from '../shared/restore/plan.ts';
import { records, verifyCheckpoint, verifyMoment } from './activities.ts';

export async function verifyProject({ projectId, checkpointId }: VerifyRequest): Promise<Receipt | CheckpointProof> {
  if (checkpointId !== undefined) return await verifyCheckpoint({ projectId, checkpointId });
  const moment = await records.readCurrentMoment({ projectId });
  return await verifyMoment({ projectId, moment, running: true });
}
