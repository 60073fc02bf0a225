/**
 * What follows a decision to go to a moment: converge → verify → final → start → open. Fails for
 * good before `final`: the row says `back`, and the same procedure goes where the run came from
 * under a new fence. Out of cancellation's reach: after the decision a run completes.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { Fenced, Moment } from '../shared/moment.ts';
import type { Directions } from '../shared/ports.ts';
import type { Receipt } from '../shared/restore/plan.ts';
import { records, verifyMoment } from './activities.ts';
import { converge, serve } from './converge.ts';
import type { ConvergeOptions, Served } from './converge.ts';
import { failure, toFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import type { Run } from './run.ts';

/** `fenced` is the newest fence of the operation: going back raised it. */
export type Settled = Served & { readonly fenced: Fenced } & (
  | { readonly went: 'forward'; readonly receipt: Receipt }
  | { readonly went: 'back'; readonly why: Failure }
);

export async function settle(run: Run, fenced: Fenced, directions: Directions & ConvergeOptions): Promise<Settled> {
  run.phase('converge');
  let receipt: Receipt;
  let newest = fenced;
  try {
    receipt = await reach(run, fenced, directions.forward, directions);
  } catch (error) {
    newest = { ...fenced, ...(await records.raiseOperationFence(fenced)) };
    const { decision } = await records.decideBack(newest);
    if (decision === 'back') return { went: 'back', why: toFailure(error), fenced: newest, ...(await goBack(run, newest, directions)) };
    // It was final already: only the reply was lost.
    receipt = await run.step('verify again', () => verifyMoment({ projectId: fenced.projectId, moment: directions.forward, running: false }));
  }
  run.phase('start');
  return { went: 'forward', receipt, fenced: newest, ...(await serve(run, newest, directions.forward)) };
}

/** Converges, proves it by reading every store back, and makes it final: from then on nothing unwinds. */
export async function reach(run: Run, fenced: Fenced, moment: Moment, options: ConvergeOptions): Promise<Receipt> {
  await converge(run, fenced, moment, options);
  const receipt = await run.step('verify', () => verifyMoment({ projectId: fenced.projectId, moment, running: false }));
  if (!receipt.ok) {
    const first = receipt.differences.map((d) => `${d.store}: ${d.what} is ${d.found}, not ${d.expected}`).join('; ');
    throw failure('VerifyFailed', `The stores do not hold the moment: ${first}.`);
  }
  await run.step('final', () => records.finalize({ ...fenced, receipt }));
  return receipt;
}

/** Where the run came from, by the same procedure; the row says `back` already. */
export async function goBack(run: Run, fenced: Fenced, directions: Directions & ConvergeOptions): Promise<Served> {
  run.phase('back');
  await reach(run, fenced, directions.back, directions);
  return await serve(run, fenced, directions.back);
}

/**
 * What follows a decision ends in an outcome or stays open: a failure that no retry mends leaves
 * the row to the next operation or `recover`, and is never written down as `unchanged` (I2).
 */
export async function pastDecision<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await CancellationScope.nonCancellable(work);
  } catch (error) {
    throw failure('CompensationFailed', `Decided, but not finished: ${toFailure(error).message} \`adorable recover\` goes on from here.`, error);
  }
}
