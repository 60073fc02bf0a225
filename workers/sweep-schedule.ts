/** The Temporal schedule that sweeps every project: made once, whichever worker comes first. */
import { Client, Connection, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import { TASK_QUEUE } from '../shared/contract/operation.ts';
import { SWEEP, SWEEP_SCHEDULE } from '../shared/contract/sweep.ts';

export const SWEEP_EVERY = '15 minutes';

export async function ensureSweepSchedule({ address, namespace }: { readonly address: string; readonly namespace: string }): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await new Client({ connection, namespace }).schedule.create({
      scheduleId: SWEEP_SCHEDULE,
      spec: { intervals: [{ every: SWEEP_EVERY }] },
      // One at a time; what was missed while the platform was down is not made up for.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
      action: { type: 'startWorkflow', workflowType: SWEEP, workflowId: SWEEP, taskQueue: TASK_QUEUE, args: [{}], workflowRunTimeout: '14 minutes' },
    });
  } catch (error) {
    // Whoever made it, or a person who changed its interval, is right.
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  } finally {
    await connection.close();
  }
}
