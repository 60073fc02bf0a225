/** The timelines of a project as the timeline server knows them, for a sweep. */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId, TenantId, TimelineId } from '../../shared/ids.ts';
import type { TimelineFact } from '../../shared/restore/reap.ts';
import type { TimelineClient } from './timeline-client.ts';

/** No read that takes no lock works this long on a fork of its own. */
const SETTLED_MS = 3_600_000;

export async function listBranches(
  timelines: Pick<TimelineClient, 'listTimelines' | 'readEndpoint'>, { projectId, tenantId }: { projectId: ProjectId; tenantId: TenantId },
): Promise<{ timelines: readonly TimelineFact[]; endpoint: TimelineId | null }> {
  const [infos, endpoint] = await Promise.all([timelines.listTimelines(tenantId), endpointOf(timelines, projectId)]);
  return {
    endpoint,
    timelines: infos.map((info) => ({
      id: info.timeline_id, ancestor: info.ancestor_timeline_id ?? null, pins: Object.keys(info.pins), attached: info.attached !== null,
      settled: info.created_at !== undefined && Date.now() - Date.parse(info.created_at) > SETTLED_MS,
    })),
  };
}

async function endpointOf(timelines: Pick<TimelineClient, 'readEndpoint'>, projectId: ProjectId): Promise<TimelineId | null> {
  try {
    return (await timelines.readEndpoint(projectId)).timeline_id;
  } catch (error) {
    if (error instanceof AdorableError && error.type === 'NotFound') return null;
    throw error;
  }
}
