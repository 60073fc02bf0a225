/**
 * `converge(moment)`: the ONE procedure that moves the stores, used to go forward, to unwind, to
 * redo and to finish what another run abandoned. Idempotent in every part: rows → (code ∥
 * compute) → (schema ∥ infra with nothing new running yet).
 */
import type { DegradedPart, Health } from '../shared/contract/operation.ts';
import type { Fenced, Moment } from '../shared/moment.ts';
import { code, data, infra, records } from './activities.ts';
import { toFailure } from './failure.ts';
import type { Run } from './run.ts';

export interface ConvergeOptions {
  /** A generation leaves running apps up; a restore starts from nothing running. */
  readonly keepRunning: boolean;
}

export async function converge(run: Run, fenced: Fenced, moment: Moment, options: ConvergeOptions): Promise<void> {
  const input = { ...fenced, moment };
  await run.step('rows', () => records.convergeRows(input));
  await run.together(
    () => run.step('code', () => code.restoreVersion(input)),
    () => run.step('compute', () => infra.startCompute(input)),
  );
  const schema = () => run.step('schema', () => data.convergeSchema(input));
  const objects = () => run.step('infra', () => infra.convergeInfra({ ...input, keepRunning: options.keepRunning }));
  if (options.keepRunning) {
    // Apps that run on are replaced here, and the new ones need their schema.
    await schema();
    await objects();
  } else await run.together(schema, objects);
}

export interface Served {
  readonly health: Health;
  readonly degraded: readonly DegradedPart[];
}

/** Each time somebody deletes the namespace between start and open, it is made again: so often, then a person has to look. */
const STARTS = 5;

/** Starts the moment's Deployments in tiers and lets traffic in. A pod that does not come up degrades, never fails. */
export async function serve(run: Run, fenced: Fenced, moment: Moment): Promise<Served> {
  for (let start = 1; ; start += 1) {
    const { degraded } = await run.step('start', () => infra.startTiers({ ...fenced, moment }));
    try {
      await run.step('open', () => infra.open(fenced));
      return { health: degraded.length === 0 ? 'healthy' : 'degraded', degraded };
    } catch (error) {
      if (start === STARTS || toFailure(error).type !== 'NotFound') throw error;
    }
  }
}
