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
  /** When it was scheduled, in milliseconds. */
  readonly at: number;
  /** Calls of one workflow task were scheduled together. */
  readonly task: string;
  /** The child that scheduled it, by what follows the operation in its workflow id; empty for the run itself. */
  readonly child: string;
}

export function callsOf(events: readonly HistoryEvent[], decode: (payload: unknown) => unknown, child = ''): readonly RecordedCall[] {
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
      ms: Math.max(0, end.at - (started.get(id) ?? end.at)), at: millis(event), task: String(scheduled.workflowTaskCompletedEventId), child,
    }];
  });
}

/** In order; what was scheduled together stays together, and the nth calls of children that ran side by side are together too. */
export function groupsOf(calls: readonly RecordedCall[], sideBySide: (child: string) => boolean = () => false): readonly (readonly RecordedCall[])[] {
  const groups = new Map<string, RecordedCall[]>();
  const tasks = new Map<string, Set<string>>();
  for (const call of calls.toSorted((a, b) => a.at - b.at)) {
    const known = tasks.get(call.child) ?? new Set();
    tasks.set(call.child, known.add(call.task));
    const key = sideBySide(call.child) ? `nth ${String([...known].indexOf(call.task))}` : `${call.child} ${call.task}`;
    groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  return [...groups.values()];
}

/** What follows the operation in a child's workflow id; empty for the run itself. */
export function childOf(workflowId: string): string {
  return /\/op_[a-z0-9]{12}\/(.+)$/.exec(workflowId)?.[1] ?? '';
}

function millis({ eventTime }: HistoryEvent): number {
  return Number(eventTime?.seconds ?? 0) * 1000 + (eventTime?.nanos ?? 0) / 1e6;
}
