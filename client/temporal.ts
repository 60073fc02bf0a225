/** The one place that talks to Temporal as a client: start under the project's lock, watch, steer. */
import { Client, Connection, WorkflowExecutionAlreadyStartedError, WorkflowFailedError, WorkflowIdConflictPolicy, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure, defineSearchAttributeKey, SearchAttributeType, TypedSearchAttributes } from '@temporalio/common';
import { AdorableError, isFailureType } from '../shared/errors.ts';
import { CANCEL_RUN_UPDATE, PROGRESS, projectWorkflowId, RESUME_RUN_UPDATE, SEARCH_ATTRIBUTES, TASK_QUEUE } from '../shared/contract/operation.ts';
import type { CancelRun, OperationRequest, Progress, ResumeRun, Stuck } from '../shared/contract/operation.ts';
import { SWEEP_PROJECT } from '../shared/contract/sweep.ts';
import type { ProjectId } from '../shared/ids.ts';
import { stuckOf } from './stuck.ts';
import type { PendingActivity } from './stuck.ts';

export type { PendingActivity } from './stuck.ts';

export interface RunHandle<T> {
  readonly result: Promise<T>;
  progress(): Promise<Progress | undefined>;
  stuck(afterMs?: number): Promise<Stuck | undefined>;
}

export interface TemporalGate {
  /** Starts an operation on a project; `Busy` names what runs there already. */
  startOperation<T>(workflow: string, request: OperationRequest, waited?: boolean): Promise<RunHandle<T>>;
  /** A read that takes no lock. */
  execute<T>(workflow: string, workflowId: string, input: unknown): Promise<T>;
  cancel(projectId: ProjectId, message: CancelRun): Promise<Progress>;
  /** Wakes a run that waits for a person; the run then has itself pushed. */
  resume(projectId: ProjectId, message: ResumeRun): Promise<Progress>;
  /** Ends the back-off of whatever the project's run retries; the activity behind `resumeRun`. */
  push(projectId: ProjectId): Promise<void>;
  progress(projectId: ProjectId): Promise<Progress | undefined>;
  /** Resolves when the run that is there now has ended, however. */
  ended(projectId: ProjectId): Promise<void>;
  pending(projectId: ProjectId): Promise<readonly PendingActivity[]>;
  /** What the project's operation has been waiting for too long; undefined while it gets on. */
  stuck(projectId: ProjectId, afterMs?: number): Promise<Stuck | undefined>;
  close(): Promise<void>;
}

const SWEEP_PATIENCE_MS = 90_000;

const key = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);

/** `taskQueue`: another worker's than the platform's, for a benchmark that brings its own. */
export async function connectTemporal(address: string, namespace = 'default', taskQueue: string = TASK_QUEUE): Promise<TemporalGate> {
  const connection = await Connection.connect({ address, connectTimeout: '5 seconds' }).catch((cause: unknown) => {
    throw new AdorableError('NotRunning', `Temporal does not answer at ${address}: \`adorable status\` says what is down.`, { cause });
  });
  const client = new Client({ connection, namespace });
  const handleOf = (projectId: ProjectId) => client.workflow.getHandle(projectWorkflowId(projectId));

  const progressOf = async (projectId: ProjectId): Promise<Progress | undefined> => {
    try {
      return await handleOf(projectId).query<Progress>(PROGRESS);
    } catch {
      // No worker, no such run, or a run without the query: progress is a courtesy, the result is not.
      return undefined;
    }
  };

  const steer = async (projectId: ProjectId, update: string, message: unknown): Promise<Progress> => {
    try {
      return await handleOf(projectId).executeUpdate<Progress, [unknown]>(update, { args: [message] });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw new AdorableError('PreconditionFailed', `Nothing runs on project ${projectId}: see \`adorable runs ${projectId}\`.`, { cause: error });
      if (error instanceof WorkflowUpdateFailedError) throw toFailure(error.cause ?? error);
      throw toFailure(error);
    }
  };

  const describe = async (workflowId: string) => {
    try {
      const { raw } = await client.workflow.getHandle(workflowId).describe();
      return { workflowId, runId: raw.workflowExecutionInfo?.execution?.runId ?? '', activities: raw.pendingActivities ?? [], children: (raw.pendingChildren ?? []).flatMap((child) => child.workflowId ?? []) };
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw toFailure(error);
    }
  };

  /** Pending activities of a run and its children, each with when it was scheduled first: a pending row knows its last attempt only. */
  const pendingOf = async (workflowId: string): Promise<readonly PendingActivity[]> => {
    const run = await describe(workflowId);
    if (run === undefined) return [];
    const ids = new Set(run.activities.map((row) => row.activityId ?? ''));
    const scheduled = new Map<string, string>();
    if (ids.size > 0) {
      const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({ namespace: client.options.namespace, execution: { workflowId, runId: run.runId }, maximumPageSize: 200 });
      for (const event of history?.events ?? []) {
        const id = event.activityTaskScheduledEventAttributes?.activityId ?? '';
        if (ids.has(id)) scheduled.set(id, new Date(Number(event.eventTime?.seconds ?? 0) * 1000).toISOString());
      }
    }
    const own = run.activities.map((row): PendingActivity => {
      const since = scheduled.get(row.activityId ?? '');
      return {
        activity: row.activityType?.name ?? '', attempt: row.attempt ?? 1,
        ...(since === undefined ? {} : { since }), ...(row.lastFailure?.message == null ? {} : { lastFailure: row.lastFailure.message }),
      };
    });
    return [...own, ...(await Promise.all(run.children.map(pendingOf))).flat()];
  };

  /** Ends the back-off of every attempt that waits for its turn; one that is at work is left to it. */
  const push = async (workflowId: string): Promise<void> => {
    const run = await describe(workflowId);
    if (run === undefined) return;
    for (const { activityId, attempt, lastFailure, lastHeartbeatTime, lastStartedTime, lastAttemptCompleteTime } of run.activities) {
      const waits = lastFailure != null && (attempt ?? 1) > 1 && seconds(lastAttemptCompleteTime) >= Math.max(seconds(lastStartedTime), seconds(lastHeartbeatTime));
      if (!waits || activityId == null) continue;
      await client.workflowService.resetActivity({ namespace: client.options.namespace, execution: { workflowId, runId: run.runId }, id: activityId, identity: 'adorable resume' }).catch((error: unknown) => {
        // It may have ended in between; whatever else it is, the run goes on by itself.
        if (!isGrpcNotFound(error)) throw toFailure(error);
      });
    }
    for (const child of run.children) await push(child);
  };

  /** A sweep takes moments and nobody asked for it: it is waited for. False when something else runs. */
  const outwaitSweep = async (projectId: ProjectId): Promise<boolean> => {
    const description = await handleOf(projectId).describe().catch(() => undefined);
    if (description?.type !== SWEEP_PROJECT) return false;
    const ended = client.workflow.getHandle(description.workflowId, description.runId).result().then(() => undefined, () => undefined);
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => { timer = setTimeout(resolve, SWEEP_PATIENCE_MS); });
    await Promise.race([ended, patience]);
    clearTimeout(timer);
    return true;
  };

  const gate: TemporalGate = {
    async startOperation<T>(workflow: string, request: OperationRequest, waited = false): Promise<RunHandle<T>> {
      const workflowId = projectWorkflowId(request.projectId);
      try {
        const handle = await client.workflow.start(workflow, {
          workflowId, taskQueue, args: [request], workflowIdConflictPolicy: WorkflowIdConflictPolicy.FAIL,
          typedSearchAttributes: new TypedSearchAttributes([
            { key: key(SEARCH_ATTRIBUTES.projectId), value: request.projectId },
            { key: key(SEARCH_ATTRIBUTES.operation), value: request.operationId },
            { key: key(SEARCH_ATTRIBUTES.phase), value: 'claim' },
          ]),
          staticSummary: `${workflow} ${request.operationId}`,
        });
        const result = (handle.result() as Promise<T>).catch((error: unknown) => { throw toFailure(error); });
        return { result, progress: () => progressOf(request.projectId), stuck: (afterMs) => gate.stuck(request.projectId, afterMs) };
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw toFailure(error);
        if (!waited && await outwaitSweep(request.projectId)) return await gate.startOperation<T>(workflow, request, true);
        const running = await progressOf(request.projectId);
        throw busy(request.projectId, running, error);
      }
    },

    async execute<T>(workflow: string, workflowId: string, input: unknown): Promise<T> {
      try {
        return (await client.workflow.execute(workflow, { workflowId, taskQueue, args: [input], workflowRunTimeout: '5 minutes' })) as T;
      } catch (error) {
        throw toFailure(error);
      }
    },

    cancel: (projectId, message) => steer(projectId, CANCEL_RUN_UPDATE, message),
    resume: (projectId, message) => steer(projectId, RESUME_RUN_UPDATE, message),
    push: async (projectId) => { await push(projectWorkflowId(projectId)); },
    progress: progressOf,
    async ended(projectId) {
      // How it ended its row says; here only that it did.
      await handleOf(projectId).result().then(() => undefined, () => undefined);
    },

    pending: async (projectId) => await pendingOf(projectWorkflowId(projectId)),
    stuck: async (projectId, afterMs) => stuckOf(await pendingOf(projectWorkflowId(projectId)), Date.now(), afterMs),

    close: () => connection.close(),
  };
  return gate;
}

function busy(projectId: ProjectId, running: Progress | undefined, cause: unknown): AdorableError {
  if (running === undefined) return new AdorableError('Busy', `Project ${projectId} is busy with another operation: wait for it, or cancel it with \`adorable cancel ${projectId}\`.`, { cause });
  const { operationId, kind, phase, waitingFor } = running;
  const name = `${kind} ${operationId} (${phase})`;
  const text = waitingFor === undefined
    ? `Project ${projectId} is busy with ${name}: wait for it, or cancel it with \`adorable cancel ${projectId}\`.`
    : `Project ${projectId} has ${name} waiting for ${waitingFor}: \`adorable resume ${projectId}\` goes on with it, \`adorable cancel ${projectId}\` takes it back; undo, redo, restore and delete do that with --cancel-waiting.`;
  return new AdorableError('Busy', text, { cause, details: { operationId, kind, phase, ...(waitingFor === undefined ? {} : { waitingFor }) } });
}

function seconds(time: { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined): number {
  return time == null ? 0 : Number(time.seconds ?? 0) + (time.nanos ?? 0) / 1e9;
}

function isGrpcNotFound(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 5;
}

/** The innermost typed failure of whatever Temporal wrapped it in. */
function toFailure(error: unknown): AdorableError {
  if (error instanceof AdorableError) return error;
  let inner: unknown = error instanceof WorkflowFailedError ? error.cause : error;
  while (inner instanceof Error && !(inner instanceof ApplicationFailure) && inner.cause instanceof Error) inner = inner.cause;
  const message = inner instanceof Error ? inner.message : String(inner);
  if (inner instanceof ApplicationFailure && isFailureType(inner.type)) {
    return new AdorableError(inner.type, message, { cause: error, details: (inner.details?.[0] ?? {}) as Record<string, unknown> });
  }
  return new AdorableError('Unclassified', message, { cause: error });
}
