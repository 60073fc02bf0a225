/** What the harness and its worker say to each other about one activity call: JSON over the child's IPC channel. */

export interface CallFacts {
  readonly workflowId: string;
  readonly runId: string;
  readonly activity: string;
  readonly activityId: string;
  readonly attempt: number;
}

/** The worker: it is up; a call waits for its order; what it was told to do has ended. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'call'; readonly id: number; readonly facts: CallFacts }
  | { readonly kind: 'ended'; readonly id: number; readonly error?: string };

/**
 * `pass`: do it and answer · `effect`: do it, say that it ended and wait for the next order ·
 * `reply`: answer what the last effect gave · `fail`: answer with this failure instead.
 */
export type Order =
  | { readonly do: 'pass' | 'effect' | 'reply' }
  | { readonly do: 'fail'; readonly type: string; readonly retryable: boolean };

export type ToWorker = Order & { readonly id: number };
