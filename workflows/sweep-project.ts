/**
 * `sweepProject`: look → claim → pins → forks → checkpoints → run refs → trees → close. It runs under
 * the project's Workflow ID, so nothing else works on the project between the look and the last
 * delete. Finding nothing, it takes no fence and leaves no row: a plan that a person has seen stays
 * good. A step that fails is named and left to the next sweep; there is nothing to compensate, since
 * only what nobody refers to goes. Ends `swept`.
 */
import { CancellationScope } from '@temporalio/workflow';
import type { OperationOutcome } from '../shared/contract/operation.ts';
import type { Reaped, SweepFindings, SweepProjectRequest, SweptProject } from '../shared/contract/sweep.ts';
import { tenantIdOf } from '../shared/derive.ts';
import type { Fenced } from '../shared/moment.ts';
import { isNothing } from '../shared/restore/reap.ts';
import { sweeper } from './activities.ts';
import { claimProject, concluding } from './claim.ts';
import { toFailure } from './failure.ts';
import { Run } from './run.ts';

export async function sweepProject(request: SweepProjectRequest): Promise<SweptProject> {
  const run = new Run(request, 'sweep');
  const { projectId, operationId } = request;
  run.phase('look');
  const findings = await run.step('look', () => sweeper.planSweep({ projectId }));
  const found = { projectId, ...findingsOf(findings) };
  // Whoever claims the project finishes the abandoned run first; a sweep is not who decides that.
  if (findings.abandoned !== null) return { ...found, state: 'abandoned', message: `Operation ${findings.abandoned} ended without an outcome: \`adorable recover ${projectId}\` finishes it.` };
  if (isNothing(findings.reapable)) return { ...found, state: 'swept' };

  const claim = await claimProject(run);
  let swept: { reaped: Reaped; left: readonly string[] } = { reaped: found.reaped, left: [] };
  await concluding(run, claim, async () => await CancellationScope.nonCancellable(async () => {
    run.phase('reap');
    swept = await reap(run, { projectId, operationId, fence: claim.fence }, findings);
    return { outcome: 'swept', health: 'healthy', degraded: [], message: summary(swept) } satisfies Omit<OperationOutcome, 'operationId'>;
  }));
  return { ...found, ...swept, state: 'swept' };
}

async function reap(run: Run, fenced: Fenced, { reapable }: SweepFindings): Promise<{ reaped: Reaped; left: readonly string[] }> {
  const { projectId } = fenced;
  const tenantId = tenantIdOf(projectId);
  const left: string[] = [];
  const each = async <T>(what: string, items: readonly T[], name: (item: T) => string, work: (item: T) => Promise<void>): Promise<T[]> => {
    const gone: T[] = [];
    for (const item of items) {
      try {
        await run.step(`${what} ${name(item)}`, () => work(item));
        gone.push(item);
      } catch (error) {
        left.push(`${what} ${name(item)}: ${toFailure(error).message}`);
      }
    }
    return gone;
  };
  // Pins before the timelines that they hold.
  const pins = await each('pin', reapable.pins, (pin) => pin.checkpointId, (pin) => sweeper.unpinMoment({ projectId, tenantId, ...pin }));
  const forks = await each('fork', reapable.forks, (id) => id, (timelineId) => sweeper.deleteFork({ projectId, tenantId, timelineId }));
  const checkpoints = await each('checkpoints', some(reapable.checkpoints), (ids) => ids.join(' '), (checkpointIds) => sweeper.voidIntents({ ...fenced, checkpointIds }));
  const runs = await each('run refs', reapable.runs, (id) => id, (operationId) => sweeper.dropRun({ projectId, operationId, fence: fenced.fence }));
  const trees = await each('trees', some(reapable.trees), (ids) => ids.join(' '), (hashes) => sweeper.dropTrees({ ...fenced, trees: hashes }));
  return { reaped: { forks, pins: pins.map((pin) => pin.checkpointId), checkpoints: checkpoints.flat(), runs, trees: trees.flat() }, left };
}

function some<T>(items: readonly T[]): readonly (readonly T[])[] {
  return items.length === 0 ? [] : [items];
}

function summary({ reaped, left }: { reaped: Reaped; left: readonly string[] }): string {
  const parts = Object.entries(reaped).filter(([, items]) => items.length > 0).map(([name, items]: [string, readonly string[]]) => `${name} ${items.join(', ')}`);
  return `Reaped ${parts.length === 0 ? 'nothing' : parts.join('; ')}.${left.length === 0 ? '' : ` Left: ${left.join('; ')}.`}`;
}

/** What a look alone can say of a project. */
export function findingsOf(findings: SweepFindings | undefined): Omit<SweptProject, 'projectId' | 'state'> {
  return { reaped: { forks: [], pins: [], checkpoints: [], runs: [], trees: [] }, left: [], drift: findings?.drift ?? [], orphans: findings?.orphans ?? [] };
}
