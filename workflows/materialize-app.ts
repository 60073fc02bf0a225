/**
 * `materializeApp` (child): one `$NEW:<feature>` becomes a pending row, a scaffold and an empty
 * schema whose roles cannot log in yet. Idempotent; the parent's decision makes it live, and the
 * parent registered the compensation before starting it.
 */
import type { MaterializeAppRequest } from '../shared/contract/generate-project.ts';
import { code, data, records } from './activities.ts';

export async function materializeApp({ fenced, app, revisionId }: MaterializeAppRequest): Promise<void> {
  await records.ensurePendingApp({ ...fenced, app, revisionId });
  await Promise.all([
    code.scaffoldApp({ ...fenced, app }),
    data.ensureAppSchema({ ...fenced, appId: app.appId }),
  ]);
}
