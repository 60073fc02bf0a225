/** `planRestore`: the restore's own plan, by the same code, without the lock. Reads only. */
import type { PlanRestoreRequest } from '../shared/contract/restore-project.ts';
import type { RestorePlan } from '../shared/restore/plan.ts';
import { records } from './activities.ts';

export async function planRestore(request: PlanRestoreRequest): Promise<RestorePlan> {
  return await records.planRestore(request);
}
