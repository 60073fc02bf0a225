/**
 * The activity boundaries of a run, read from its recorded history and its children's: what a fault
 * can be put at. Nobody keeps a list of them, so a new step is under test the day it is written.
 */
import type { Client } from '@temporalio/client';

export interface Boundary {
  readonly activity: string;
  /** The how manyeth of its name in the run. */
  readonly nth: number;
}

export async function boundariesOf(client: Client, workflowId: string, runId?: string): Promise<Boundary[]> {
  return toBoundaries(await activitiesOf(client, workflowId, runId));
}

export function toBoundaries(activities: readonly string[]): Boundary[] {
  const seen = new Map<string, number>();
  return activities.map((activity) => {
    const nth = (seen.get(activity) ?? 0) + 1;
    seen.set(activity, nth);
    return { activity, nth };
  });
}

/** In the order in which they were scheduled; a child's stand where the child was started. */
export async function activitiesOf(client: Client, workflowId: string, runId?: string): Promise<string[]> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const names = await Promise.all((events ?? []).map(async (event) => {
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    if (child?.workflowId != null) return await activitiesOf(client, child.workflowId, child.runId ?? undefined);
    return event.activityTaskScheduledEventAttributes?.activityType?.name ?? [];
  }));
  return names.flat();
}

export const nameOf = ({ activity, nth }: Boundary): string => (nth === 1 ? activity : `${activity} (${String(nth)})`);
