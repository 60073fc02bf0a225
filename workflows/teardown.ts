/**
 * Everything a project owns, taken down: namespace, timelines, repository; rows archived, never
 * deleted. Each step is absent-is-success, so it also undoes a half-made provisioning.
 */
import type { Fenced, Moment } from '../shared/moment.ts';
import { tenantIdOf } from '../shared/derive.ts';
import { code, data, infra, records } from './activities.ts';
import type { Run } from './run.ts';

export async function deprovision(run: Run, fenced: Fenced, moment: Moment | null, doing: 'running' | 'undoing' = 'running'): Promise<void> {
  const tenantId = moment?.tenantId ?? tenantIdOf(fenced.projectId);
  await run.step('delete namespace', () => infra.deleteNamespace(fenced), doing);
  await run.step('delete timelines', () => data.deleteTenant({ ...fenced, tenantId }), doing);
  await run.step('delete repository', () => code.deleteRepository(fenced), doing);
  await run.step('archive rows', () => records.archiveProject(fenced), doing);
}

