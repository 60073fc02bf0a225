/** What a run's history says: its activities with their arguments, results and times, and its size. Pure. */

/** The parts of Temporal's events that are read here. */
export interface HistoryEvent {
  readonly eventId?: unknown;
  readonly eventTime?: { readonly seconds?: unknown; readonly nanos?: number | null } | null;
  readonly activityTaskScheduledEventAttributes?: { readonly activityType?: { readonly name?: string | null } | null; readonly input?: { readonly payloads?: readonly unknown[] | null } | null; readonly workflowTaskCompletedEventId?: unknown } | null;
  readonly activityTaskStartedEventAttributes?: { readonly scheduledEventId?: unknown } | null;
  readonly activityTaskCompletedEventAttributes?: { readonly scheduledEventId?: unknown; readonly result?: { readonly payloads?: readonly unknown[] | null } | null } | null;
}

export interface RecordedCall {
  readonly type: string;
  readonly args: readonly unknown[];
  readonly result: unknown;
  readonly ms: number;
  /** Calls of one workflow task were scheduled together. */
  readonly task: string;
}

export function callsOf(events: readonly HistoryEvent[], decode: (payload: unknown) => unknown): readonly RecordedCall[] {
  const started = new Map<string, number>();
  const ended = new Map<string, { at: number; result: unknown }>();
  for (const event of events) {
    const { activityTaskStartedEventAttributes: start, activityTaskCompletedEventAttributes: end } = event;
    if (start) started.set(String(start.scheduledEventId), millis(event));
    if (end) ended.set(String(end.scheduledEventId), { at: millis(event), result: end.result?.payloads?.map(decode)[0] });
  }
  return events.flatMap((event) => {
    const scheduled = event.activityTaskScheduledEventAttributes;
    const id = String(event.eventId);
    const end = ended.get(id);
    if (!scheduled || end === undefined) return [];
    return [{
      type: scheduled.activityType?.name ?? '', args: scheduled.input?.payloads?.map(decode) ?? [], result: end.result,
      ms: Math.max(0, end.at - (started.get(id) ?? end.at)), task: String(scheduled.workflowTaskCompletedEventId),
    }];
  });
}

/** In order; what was scheduled together stays together. */
export function groupsOf(calls: readonly RecordedCall[]): readonly (readonly RecordedCall[])[] {
  const groups = new Map<string, RecordedCall[]>();
  for (const call of calls) groups.set(call.task, [...(groups.get(call.task) ?? []), call]);
  return [...groups.values()];
}

function millis({ eventTime }: HistoryEvent): number {
  return Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1e6;
}
