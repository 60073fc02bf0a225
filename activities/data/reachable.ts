/** Whether a moment's data can still be forked: asked of the timeline server, which alone knows what it kept. */
import { AdorableError } from '../../shared/errors.ts';
import type { TenantId, TimelineId } from '../../shared/ids.ts';
import { compareLsn } from '../../shared/lsn.ts';
import type { Lsn } from '../../shared/lsn.ts';
import type { TimelineClient, TimelineInfo } from './timeline-client.ts';

export interface DataPoint {
  readonly tenantId: TenantId;
  readonly timelineId: TimelineId;
  readonly lsn: Lsn;
}

export async function isReachable(timelines: Pick<TimelineClient, 'readTimeline'>, { tenantId, timelineId, lsn }: DataPoint): Promise<boolean> {
  try {
    return isKept(await timelines.readTimeline(tenantId, timelineId), lsn);
  } catch (error) {
    if (error instanceof AdorableError && error.type === 'NotFound') return false;
    throw error;
  }
}

export function isKept(timeline: Pick<TimelineInfo, 'min_readable_lsn'>, lsn: Lsn): boolean {
  return compareLsn(lsn, timeline.min_readable_lsn) >= 0;
}
