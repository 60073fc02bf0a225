/** A run that has ended, as its history and its children's tell it. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Payload } from '@temporalio/common';
import { callsOf, childOf } from './history.ts';
import type { HistoryEvent, RecordedCall } from './history.ts';

/** Of one history or of several together. */
export interface HistorySize {
  readonly events: number;
  readonly activities: number;
  readonly bytes: number;
}

export interface RecordedRun {
  /** The workflow's name. */
  readonly workflow: string;
  /** The run's own history. */
  readonly size: HistorySize;
  readonly children: HistorySize & { readonly runs: number };
  /** Its own calls and its children's. */
  readonly calls: readonly RecordedCall[];
  readonly request: unknown;
  readonly ms: number;
}

const decode = (payload: unknown): unknown => defaultPayloadConverter.fromPayload(payload as Payload);

export async function recordRun(client: Client, workflowId: string): Promise<RecordedRun> {
  const own = await read(client, workflowId);
  const started = own.events.flatMap((event) => event.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId ?? []);
  const children = [];
  for (const id of started) children.push(await read(client, id));
  return {
    workflow: own.workflow, size: own.size, request: own.events[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.map(decode)[0], ms: own.ms,
    calls: [...own.calls, ...children.flatMap(({ calls }) => calls)],
    children: { runs: children.length, events: sum(children, 'events'), activities: sum(children, 'activities'), bytes: sum(children, 'bytes') },
  };
}

async function read(client: Client, workflowId: string) {
  const handle = client.workflow.getHandle(workflowId);
  const { raw, type, startTime, closeTime } = await handle.describe();
  const events = (await handle.fetchHistory()).events ?? [];
  const calls = callsOf(events as readonly HistoryEvent[], decode, childOf(workflowId));
  const size: HistorySize = { events: events.length, activities: calls.length, bytes: Number(raw.workflowExecutionInfo?.historySizeBytes ?? 0) };
  return { events, calls, size, workflow: type, ms: (closeTime?.getTime() ?? NaN) - startTime.getTime() };
}

const sum = (runs: readonly { readonly size: HistorySize }[], of: keyof HistorySize): number => runs.reduce((total, { size }) => total + size[of], 0);
