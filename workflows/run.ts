/**
 * One operation's run as people meet it: the step table in the Web UI's details, search
 * attributes, the `progress` query, and the messages that cancel or resume it. A message for
 * another operation is refused.
 */
import {
  ActivityFailure, CancellationScope, condition, isCancellation, defineQuery, defineSignal, defineUpdate, log, setCurrentDetails, setHandler,
  TimeoutFailure, upsertSearchAttributes,
} from '@temporalio/workflow';
import { CancelledFailure, defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  CANCEL_RUN, CANCEL_RUN_UPDATE, PROGRESS, RESUME_RUN, RESUME_RUN_UPDATE, SEARCH_ATTRIBUTES,
} from '../shared/contract/operation.ts';
import type { CancelRun, OperationRequest, Progress, ResumeRun, StepProgress } from '../shared/contract/operation.ts';
import type { OperationKind } from '../shared/moment.ts';
import { pushRun } from './activities.ts';
import { failure, toFailure } from './failure.ts';

const phaseKey = defineSearchAttributeKey(SEARCH_ATTRIBUTES.phase, SearchAttributeType.KEYWORD);

/** The Web UI sends a message without an argument when its dialog is left empty: it must not fail the run's task. */
const NOTHING: Partial<CancelRun> = {};

export class Run {
  readonly request: OperationRequest;
  readonly kind: OperationKind;
  readonly #steps: StepProgress[] = [];
  #phase = 'claim';
  #waitingFor: string | undefined;
  #cancelReason: string | undefined;
  #forward: CancellationScope | undefined;
  #resumes = 0;

  constructor(request: OperationRequest, kind: OperationKind) {
    this.request = request;
    this.kind = kind;
    const validator = (message: { operationId?: string } = {}): void => { this.#refuseForeign(message); };
    setHandler(defineQuery<Progress>(PROGRESS), () => this.progress());
    setHandler(defineSignal<[Partial<CancelRun>?]>(CANCEL_RUN), (message = NOTHING) => { this.#ifOurs(message, () => { this.#cancel(message.reason); }); });
    setHandler(defineSignal<[ResumeRun?]>(RESUME_RUN), (message = {}) => { this.#ifOurs(message, () => { this.#resume(); }); });
    setHandler(defineUpdate<Progress, [Partial<CancelRun>?]>(CANCEL_RUN_UPDATE), (message = NOTHING) => { this.#cancel(message.reason); return this.progress(); }, { validator });
    setHandler(defineUpdate<Progress, [ResumeRun?]>(RESUME_RUN_UPDATE), () => { this.#resume(); return this.progress(); }, { validator });
  }

  progress(): Progress {
    return {
      ...this.request, kind: this.kind, phase: this.#phase, steps: this.#steps,
      ...(this.#waitingFor === undefined ? {} : { waitingFor: this.#waitingFor }),
    };
  }

  get cancelReason(): string | undefined {
    return this.#cancelReason;
  }

  phase(name: string): void {
    this.#phase = name;
    upsertSearchAttributes([{ key: phaseKey, value: name }]);
    this.#show();
  }

  async step<T>(name: string, work: () => Promise<T>, doing: 'running' | 'undoing' = 'running'): Promise<T> {
    const row = { name, state: doing, startedAt: new Date().toISOString() } as StepProgress;
    const index = this.#steps.push(row) - 1;
    this.#show();
    const close = (state: StepProgress['state'], detail?: string): void => {
      this.#steps[index] = { ...row, state, endedAt: new Date().toISOString(), ...(detail === undefined ? {} : { detail }) };
      this.#show();
    };
    try {
      const result = await work();
      close(doing === 'undoing' ? 'undone' : 'done');
      return result;
    } catch (error) {
      const { type, message } = toFailure(error);
      close('failed', `${type}: ${message}`);
      throw error;
    }
  }

  /**
   * Two pieces of work side by side. One that fails stops the other, and is only told of when that
   * one has ended: what takes them back, or goes on without them, must not overtake either.
   */
  async together<A, B>(one: () => Promise<A>, other: () => Promise<B>): Promise<[A, B]> {
    const scope = new CancellationScope({ cancellable: true });
    return await scope.run(async () => {
      let failed: { readonly error: unknown } | undefined;
      const both = [one(), other()] as const;
      await Promise.all(both.map((work) => work.catch((error: unknown) => {
        failed ??= { error };
        scope.cancel();
      })));
      if (failed !== undefined) throw failed.error;
      return await Promise.all(both);
    });
  }

  /** The part of a run that `cancelRun` and native cancellation may stop; what follows it completes. */
  async cancellable<T>(work: () => Promise<T>): Promise<T> {
    const scope = new CancellationScope({ cancellable: true });
    this.#forward = scope;
    try {
      return await scope.run(async () => {
        if (this.#cancelReason !== undefined) scope.cancel();
        return await work();
      });
    } catch (error) {
      throw asStopped(error, scope);
    } finally {
      this.#forward = undefined;
    }
  }

  /** Part of a cancellable stretch with a time limit of its own: past it, the stretch fails as unavailable. */
  async within<T>(limit: string, work: () => Promise<T>): Promise<T> {
    const scope = new CancellationScope({ cancellable: true, timeout: limit as '5 minutes' });
    const outer = CancellationScope.current();
    try {
      return await scope.run(work);
    } catch (caught) {
      const error = asStopped(caught, scope);
      if (isCancellation(error) && !outer.consideredCancelled) throw failure('Unavailable', `It took longer than ${limit}: nothing was decided, and everything is taken back.`, error);
      throw error;
    }
  }

  /** The last chance before what cancellation cannot reach: a step that ended well may have ended after its cancellation. */
  stopIfCancelled(): void {
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('cancelled');
  }

  /** Waits for `resumeRun`; false when none came in time. */
  async waitForResume(waitingFor: string, timeoutMs: number): Promise<boolean> {
    if (timeoutMs <= 0) return false;
    const before = this.#resumes;
    this.#waitingFor = waitingFor;
    this.#show();
    try {
      return await condition(() => this.#resumes > before, timeoutMs);
    } finally {
      this.#waitingFor = undefined;
      this.#show();
    }
  }

  #cancel(reason: string | undefined): void {
    this.#cancelReason = reason ?? 'none was given.';
    this.#forward?.cancel();
  }

  /** Wakes what waits for a person, and makes what is being retried try at once, however the message came. */
  #resume(): void {
    this.#resumes += 1;
    const { projectId } = this.request;
    CancellationScope.nonCancellable(() => pushRun({ projectId })).catch((error: unknown) => { log.warn('could not end the back-off', { failure: toFailure(error) }); });
  }

  #refuseForeign(message: { operationId?: string }): void {
    if (message.operationId !== undefined && message.operationId !== this.request.operationId) {
      throw failure('PreconditionFailed', `This run is operation ${this.request.operationId}, not ${message.operationId}: nothing was done.`);
    }
  }

  #ifOurs(message: { operationId?: string }, act: () => void): void {
    if (message.operationId !== undefined && message.operationId !== this.request.operationId) {
      log.warn('refused a message for another operation', { operationId: message.operationId });
      return;
    }
    act();
  }

  #show(): void {
    const rows = this.#steps.map((step) => `| ${step.name} | ${step.state} | ${step.endedAt === undefined ? '' : `${String(Date.parse(step.endedAt) - Date.parse(step.startedAt))} ms`} | ${step.detail ?? ''} |`);
    const waiting = this.#waitingFor === undefined ? '' : `\n\nWaiting for: ${this.#waitingFor}`;
    setCurrentDetails(`**${this.kind}** \`${this.request.operationId}\`, phase **${this.#phase}**${waiting}\n\n| step | state | took | detail |\n|---|---|---|---|\n${rows.join('\n')}`);
  }
}

/** An activity that was asked to stop while its worker was away can only end by its time-out: it is stopped all the same. */
function asStopped(error: unknown, scope: CancellationScope): unknown {
  const isLost = error instanceof ActivityFailure && error.cause instanceof TimeoutFailure;
  return isLost && scope.consideredCancelled ? new CancelledFailure('cancelled') : error;
}
