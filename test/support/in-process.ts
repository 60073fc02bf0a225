/**
 * The real workflow bundle in the SDK's sandbox without a server: activations in, commands out. Knows
 * what our workflows use of Temporal (activities with retries and cancellation, children, updates,
 * termination) and refuses any other command; `test/faults/same-as-server.test.ts` holds it to a
 * real server. Timers never fire: no run of a fake world takes minutes.
 */
import { ApplicationFailure, defaultFailureConverter, defaultPayloadConverter, TerminatedFailure, TypedSearchAttributes } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { coresdk, temporal } from '@temporalio/proto';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { parseWorkflowCode } from '@temporalio/worker/lib/worker.js';
import { ReusableVMWorkflowCreator } from '@temporalio/worker/lib/workflow/reusable-vm.js';
import { globalHandlers } from '@temporalio/worker/lib/workflow/vm-shared.js';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { CANCEL_RUN_UPDATE, projectWorkflowId, TASK_QUEUE } from '../../shared/contract/operation.ts';
import type { OperationRequest } from '../../shared/contract/operation.ts';
import { NeverEnds, servingWorlds, WorkerDied } from './bench.ts';
import type { Bench, BenchRun } from './bench.ts';
import { FakeWorld } from './fake-world.ts';

type Job = coresdk.workflow_activation.IWorkflowActivationJob;
type Command = coresdk.workflow_commands.IWorkflowCommand;
type Payload = temporal.api.common.v1.IPayload;
type Failure = temporal.api.failure.v1.IFailure;
type Acts = ReturnType<typeof servingWorlds>['activities'];
type Sandbox = Awaited<ReturnType<ReusableVMWorkflowCreator['createWorkflow']>>;

const toPayload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
const toFailure = (error: unknown): Failure => defaultFailureConverter.errorToFailure(error, defaultPayloadConverter);
/** Attempts of one activity: more is a fake that cannot succeed. */
const PATIENCE = 1000;
const CANCELED: Failure = { message: 'canceled', canceledFailureInfo: {} };

interface Engine {
  readonly creator: ReusableVMWorkflowCreator;
  readonly activities: Acts;
}

/** What a run and its children have under way together. */
class Traffic {
  #underway = 0;
  #asking = 0;
  #waiters: (() => void)[] = [];

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#underway += 1;
    try {
      return await work();
    } finally {
      this.#underway -= 1;
      this.settle();
    }
  }

  async quiet(): Promise<void> {
    this.#asking += 1;
    const waiting = new Promise<void>((resolve) => { this.#waiters.push(resolve); });
    this.settle();
    await waiting;
    this.#asking -= 1;
  }

  /** Whoever asks is itself under way. */
  settle(ended = false): void {
    if (!ended && this.#underway > this.#asking) return;
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

interface Origin {
  readonly workflow: string;
  readonly workflowId: string;
  readonly args: Payload[];
  readonly traffic?: Traffic;
  /** Where a child's activities are listed: beside its siblings', where the child was started. */
  readonly scheduled?: (string | string[])[];
}

class Run implements BenchRun {
  readonly runId = randomUUID();
  readonly workflowId: string;
  readonly scheduled: (string | string[])[];
  readonly #engine: Engine;
  readonly #traffic: Traffic;
  readonly #children = new Map<number, Run>();
  readonly #cancelled = new Set<number>();
  readonly #updates = new Map<string, () => void>();
  readonly #end = Promise.withResolvers<Payload | undefined>();
  readonly #sandbox: Promise<Sandbox>;
  #turn: Promise<void> = Promise.resolve();
  #closed = false;
  #clock = Date.UTC(2026, 0, 1);

  constructor(engine: Engine, { workflow, workflowId, args, traffic = new Traffic(), scheduled = [] }: Origin) {
    this.#engine = engine;
    this.#traffic = traffic;
    this.workflowId = workflowId;
    this.scheduled = scheduled;
    this.#end.promise.catch(() => undefined);
    this.#sandbox = engine.creator.createWorkflow({
      info: {
        workflowId, runId: this.runId, workflowType: workflow, searchAttributes: {}, typedSearchAttributes: new TypedSearchAttributes(), taskQueue: TASK_QUEUE, namespace: 'default',
        firstExecutionRunId: this.runId, originalExecutionRunId: this.runId, startTime: new Date(this.#clock), runStartTime: new Date(this.#clock), taskTimeoutMs: 10_000, attempt: 1,
        historyLength: 3, historySize: 300, continueAsNewSuggested: false, targetWorkerDeploymentVersionChanged: false,
        unsafe: { now: () => this.#clock, isReplaying: false, isReplayingHistoryEvents: false } as never,
      },
      randomnessSeed: [1, 2, 3, 4, 5, 6, 7, 8], now: this.#clock, showStackTraceSources: false,
    });
    this.#activate({ initializeWorkflow: { workflowId, workflowType: workflow, arguments: args, attempt: 1, firstExecutionRunId: this.runId, headers: {} } });
  }

  async result(): Promise<unknown> {
    const payload = await this.payload();
    return payload == null ? undefined : defaultPayloadConverter.fromPayload(payload);
  }

  payload(): Promise<Payload | undefined> {
    return this.#end.promise;
  }

  terminate(): Promise<void> {
    this.#close(() => { this.#end.reject(new TerminatedFailure('terminated')); });
    return Promise.resolve();
  }

  async cancel(reason: string): Promise<void> {
    if (this.#closed) return;
    const id = randomUUID();
    await new Promise<void>((resolve) => {
      this.#updates.set(id, resolve);
      this.#activate({ doUpdate: { id, protocolInstanceId: id, name: CANCEL_RUN_UPDATE, input: [toPayload({ reason })], headers: {}, meta: { identity: 'test', updateId: id }, runValidator: true } });
    });
  }

  requestCancel(): void {
    this.#activate({ cancelWorkflow: { reason: 'parent' } });
  }

  quiet(): Promise<void> {
    return this.#traffic.quiet();
  }

  activities(): Promise<readonly string[]> {
    return Promise.resolve(this.scheduled.flat());
  }

  /** One activation after the other, each with one job: the order in which things happened. */
  #activate(job: Job): void {
    this.#turn = this.#turn.then(() => this.#traffic.during(async () => {
      const sandbox = await this.#sandbox;
      if (this.#closed) return;
      this.#clock += 1;
      const { successful, failed } = await sandbox.activate({ runId: this.runId, timestamp: msToTs(this.#clock), jobs: [job], historyLength: 3, isReplaying: false } as never);
      // A task that fails is retried for ever by a server: here it is a failure that says why.
      if (failed != null) this.#close(() => { this.#end.reject(defaultFailureConverter.failureToError(failed.failure ?? {}, defaultPayloadConverter)); });
      for (const command of successful?.commands ?? []) this.#obey(command);
    })).catch((error: unknown) => { this.#close(() => { this.#end.reject(error as Error); }); });
  }

  #obey(command: Command): void {
    const { scheduleActivity, requestCancelActivity, startChildWorkflowExecution, cancelChildWorkflowExecution, updateResponse } = command;
    const { completeWorkflowExecution, failWorkflowExecution, cancelWorkflowExecution } = command;
    if (scheduleActivity != null) this.#act(scheduleActivity);
    else if (requestCancelActivity != null) this.#cancelled.add(requestCancelActivity.seq ?? 0);
    else if (startChildWorkflowExecution != null) this.#startChild(startChildWorkflowExecution);
    else if (cancelChildWorkflowExecution != null) this.#children.get(cancelChildWorkflowExecution.childWorkflowSeq ?? 0)?.requestCancel();
    else if (updateResponse != null) { if (updateResponse.accepted == null) this.#answered(updateResponse.protocolInstanceId ?? ''); }
    else if (completeWorkflowExecution != null) this.#close(() => { this.#end.resolve(completeWorkflowExecution.result ?? undefined); });
    else if (failWorkflowExecution != null) this.#close(() => { this.#end.reject(defaultFailureConverter.failureToError(failWorkflowExecution.failure ?? {}, defaultPayloadConverter)); });
    else if (cancelWorkflowExecution != null) this.#close(() => { this.#end.reject(defaultFailureConverter.failureToError(CANCELED, defaultPayloadConverter)); });
    else if (command.startTimer == null && command.cancelTimer == null && command.upsertWorkflowSearchAttributes == null && command.modifyWorkflowProperties == null) {
      throw new Error(`nobody taught the in-process bench this command: ${JSON.stringify(command)}`);
    }
  }

  #act({ seq, activityType, activityId, arguments: args }: coresdk.workflow_commands.IScheduleActivity): void {
    const name = activityType ?? '';
    const id = seq ?? 0;
    this.scheduled.push(name);
    const input = (args ?? []).map((arg) => defaultPayloadConverter.fromPayload(arg)) as [never];
    const wrapped = (cause: Failure, retryState: number): Failure => ({ message: 'Activity task failed', cause, activityFailureInfo: { activityType: { name }, activityId: activityId ?? '', retryState } });
    this.#traffic.during(async () => {
      for (let attempt = 1; !this.#closed; attempt += 1) {
        try {
          const value = await this.#engine.activities[name]?.(...input);
          this.#activate({ resolveActivity: { seq: id, result: { completed: { result: toPayload(value) } } } });
          return;
        } catch (error) {
          const isRetryable = !(error instanceof ApplicationFailure) || error.nonRetryable !== true;
          if (isRetryable && attempt > PATIENCE) throw new NeverEnds(`${name} failed ${String(attempt)} times: ${error instanceof Error ? error.message : ''}`, { cause: error });
          if (isRetryable && !this.#cancelled.has(id)) {
            await new Promise(setImmediate);
            continue;
          }
          if (error instanceof WorkerDied) this.#activate({ resolveActivity: { seq: id, result: { cancelled: { failure: wrapped(CANCELED, 0) } } } });
          else this.#activate({ resolveActivity: { seq: id, result: { failed: { failure: wrapped(toFailure(error), isRetryable ? 7 : 2) } } } });
          return;
        }
      }
    }).catch((error: unknown) => { this.#close(() => { this.#end.reject(error as Error); }); });
  }

  #startChild({ seq, workflowId, workflowType, input }: coresdk.workflow_commands.IStartChildWorkflowExecution): void {
    const id = seq ?? 0;
    const scheduled: string[] = [];
    this.scheduled.push(scheduled);
    const child = new Run(this.#engine, { workflow: workflowType ?? '', workflowId: workflowId ?? '', args: input ?? [], traffic: this.#traffic, scheduled });
    this.#children.set(id, child);
    this.#activate({ resolveChildWorkflowExecutionStart: { seq: id, succeeded: { runId: child.runId } } });
    const wrapped = (cause: Failure): Failure => ({
      message: 'Child Workflow execution failed', cause,
      childWorkflowExecutionFailureInfo: { namespace: 'default', workflowExecution: { workflowId: child.workflowId, runId: child.runId }, workflowType: { name: workflowType ?? '' }, retryState: 2 },
    });
    child.payload().then(
      (result) => { this.#activate({ resolveChildWorkflowExecution: { seq: id, result: { completed: result == null ? {} : { result } } } }); },
      (error: unknown) => {
        const failure = wrapped(toFailure(error));
        const isCancelled = failure.cause?.canceledFailureInfo != null;
        this.#activate({ resolveChildWorkflowExecution: { seq: id, result: isCancelled ? { cancelled: { failure } } : { failed: { failure } } } });
      },
    );
  }

  #answered(id: string): void {
    this.#updates.get(id)?.();
    this.#updates.delete(id);
  }

  #close(end: () => void): void {
    if (this.#closed) return;
    this.#closed = true;
    end();
    for (const id of [...this.#updates.keys()]) this.#answered(id);
    // ParentClosePolicy.REQUEST_CANCEL, which is what our children are started with.
    for (const child of this.#children.values()) child.requestCancel();
    this.#traffic.settle(true);
    this.#sandbox.then((sandbox) => sandbox.dispose()).catch(() => undefined);
  }
}

export interface InProcessBench extends Bench {
  /** Runs one workflow against a world; resolves to its result. */
  run<T>(world: FakeWorld, workflow: string, request: OperationRequest & object): Promise<T>;
}

export async function openInProcessBench(): Promise<InProcessBench> {
  const names = Object.keys(new FakeWorld().activities());
  const { activities, serve } = servingWorlds(names);
  const bundle = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)), logger: new DefaultLogger('ERROR') });
  const creator = await ReusableVMWorkflowCreator.create(parseWorkflowCode(bundle.code), 10_000, new Set(names));
  // Stack traces for a debugger: they cost more than the workflows.
  globalHandlers.uninstall();
  const start: Bench['start'] = (workflow, request) => Promise.resolve(new Run({ creator, activities }, { workflow, workflowId: projectWorkflowId(request.projectId), args: [toPayload(request)] }));
  return {
    serve, start,
    async run<T>(world: FakeWorld, workflow: string, request: OperationRequest & object) {
      serve(request.projectId, world);
      return (await (await start(workflow, request)).result()) as T;
    },
    close: () => creator.destroy(),
  };
}
