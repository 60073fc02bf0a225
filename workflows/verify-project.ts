/** `verifyProject`: reads every store back against the current moment and answers with the receipt. */
import type { ProjectId } from '../shared/ids.ts';
import type { Receipt } from '../shared/restore/plan.ts';
import { records, verifyMoment } from './activities.ts';

export async function verifyProject({ projectId }: { projectId: ProjectId }): Promise<Receipt> {
  const moment = await records.readCurrentMoment({ projectId });
  return await verifyMoment({ projectId, moment, running: true });
}
