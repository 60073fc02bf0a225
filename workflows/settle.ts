/**
 * What follows a decision to go to a moment: converge → verify → final → start → open. Fails for
 * good before `final`: the row says `back`, and the same procedure goes where the run came from
 * under a new fence. Out of cancellation's reach: after the decision a run completes.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { Fenced, Moment } from '../shared/moment.ts';
import type { Receipt } from '../shared/restore/plan.ts';
import { records, verifyMoment } from './activities.ts';
import { converge, serve } from './converge.ts';
import type { ConvergeOptions, Served } from './converge.ts';
import { failure, toFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import type { Run } from './run.ts';

export interface Directions {
  readonly forward: Moment;
  readonly back: Moment;
}

export type Settled =
  | ({ readonly went: 'forward'; readonly receipt: Receipt } & Served)
  | ({ readonly went: 'back'; readonly why: Failure } & Served);

export async function settle(run: Run, fenced: Fenced, directions: Directions & ConvergeOptions): Promise<Settled> {
  return await CancellationScope.nonCancellable(async () => {
    run.phase('converge');
    let receipt: Receipt;
    try {
      receipt = await reach(run, fenced, directions.forward, directions);
    } catch (error) {
      const back = await goBack(run, fenced, directions);
      return { went: 'back', why: toFailure(error), ...back };
    }
    run.phase('start');
    return { went: 'forward', receipt, ...(await serve(run, fenced, directions.forward)) };
  });
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

/** target → back. The new fence comes first, so that a slow forward attempt cannot land after it. */
export async function goBack(run: Run, fenced: Fenced, directions: Directions & ConvergeOptions): Promise<Served> {
  run.phase('back');
  const unwinding = { ...fenced, ...(await records.raiseOperationFence(fenced)) };
  await records.decideBack(unwinding);
  await reach(run, unwinding, directions.back, directions);
  return await serve(run, unwinding, directions.back);
}
