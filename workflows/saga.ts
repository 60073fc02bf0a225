/**
 * A saga: steps with compensations. A compensation is registered BEFORE its step, because a step
 * that failed may still have done half of its work; they run in reverse, out of cancellation's
 * reach, without a cap on attempts. What could not be undone is listed in `CompensationFailed`.
 * Every compensation holds in four cases: its step never ran, half ran, ran, or ran and someone
 * moved on.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { Fenced } from '../shared/moment.ts';
import type { Decision } from '../shared/ports.ts';
import { records } from './activities.ts';
import { failure, toFailure } from './failure.ts';
import type { Run } from './run.ts';

export type Compensation = (unwinding: Fenced) => Promise<void>;

/**
 * How a failed run turns back: out of cancellation's reach, and what it cannot do leaves its row
 * open for the next operation or `recover`. Never written down as `unchanged` (I2).
 */
export async function turning<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await CancellationScope.nonCancellable(work);
  } catch (error) {
    const { type, message } = toFailure(error);
    if (type === 'CompensationFailed') throw error;
    throw failure('CompensationFailed', `Could not turn back: ${message} \`adorable recover\` goes on from here.`, error);
  }
}

export class Saga {
  readonly #run: Run;
  readonly #compensations: { name: string; undo: Compensation }[] = [];

  constructor(run: Run) {
    this.#run = run;
  }

  /** Does one step; `undo` is what takes it back. A step without one says why where it is called. */
  async step<T>(name: string, work: () => Promise<T>, undo?: Compensation): Promise<T> {
    if (undo !== undefined) this.#compensations.push({ name, undo });
    return await this.#run.step(name, work);
  }

  /** Undoes every step under the unwinding fence; throws only when something could not be undone. */
  async unwind(unwinding: Fenced): Promise<void> {
    const left: string[] = [];
    let cause: unknown;
    await CancellationScope.nonCancellable(async () => {
      for (const { name, undo } of this.#compensations.splice(0).reverse()) {
        try {
          await this.#run.step(`undo ${name}`, () => undo(unwinding), 'undoing');
        } catch (error) {
          left.push(`${name} (${toFailure(error).message})`);
          cause = error;
        }
      }
    });
    if (left.length > 0) throw failure('CompensationFailed', `Could not undo: ${left.join('; ')}.`, cause);
  }
}

/**
 * Compare-and-set none → target: out of cancellation's reach, without a time limit. From its answer
 * on the run completes; whatever its error was, `turnBack` reads the row.
 */
export async function decide(run: Run, input: Omit<Parameters<typeof records.decide>[0], 'decision'>): Promise<void> {
  await CancellationScope.nonCancellable(() => run.step('decide', () => records.decide({ ...input, decision: 'target' })));
}

/**
 * After a failure before the decision: a new fence, then the row decides where the project is, never
 * an activity's error, whose reply may have been lost. `abort`: everything was undone.
 */
export async function turnBack(saga: Saga, fenced: Fenced): Promise<{ readonly decision: Decision; readonly fenced: Fenced }> {
  return await turning(async () => {
    const newest = { ...fenced, ...(await records.raiseOperationFence(fenced)) };
    const { decision } = await records.decide({ ...newest, decision: 'abort' });
    if (decision === 'abort') await saga.unwind(newest);
    return { decision, fenced: newest };
  });
}
