/**
 * One look at a project for a sweep: what the rows, the timeline server, git and the namespace say,
 * put before the pure decision. Reads only; it takes no lock, since `sweepProject` holds it.
 */
import type { SweepFindings } from '../../shared/contract/sweep.ts';
import type { CheckpointId, OperationId, ProjectId, TenantId, TimelineId, TreeHash } from '../../shared/ids.ts';
import type { Moment } from '../../shared/moment.ts';
import type { SweepActivities } from '../../shared/ports.ts';
import type { Difference } from '../../shared/restore/plan.ts';
import { reapable } from '../../shared/restore/reap.ts';
import type { ReapFacts, TimelineFact } from '../../shared/restore/reap.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import { kindDrift } from '../../shared/spec/kind-drift.ts';

export interface PlanSweepDeps {
  readonly readRoots: (projectId: ProjectId) => Promise<Pick<ReapFacts, 'checkpoints' | 'position' | 'operations'> & { readonly tenantId: TenantId | null; readonly abandoned: OperationId | null }>;
  readonly listBranches: (input: { projectId: ProjectId; tenantId: TenantId }) => Promise<{ readonly timelines: readonly TimelineFact[]; readonly endpoint: TimelineId | null }>;
  readonly listLeftovers: (projectId: ProjectId) => Promise<Pick<ReapFacts, 'runs' | 'trees' | 'served'>>;
  readonly readCurrentMoment: (input: { projectId: ProjectId }) => Promise<Moment>;
  readonly declaredNow: (projectId: ProjectId) => Promise<Declared>;
  readonly readServed: (input: { projectId: ProjectId; moment: Moment }) => Promise<{ readonly trees: readonly TreeHash[]; readonly drift: readonly Difference[]; readonly foreign: readonly string[] }>;
}

const NOTHING = { forks: [], pins: [], checkpoints: [], runs: [], trees: [], foreignPins: [] };
/** Of each list, so that a namespace full of surprises does not fill a history. */
const LISTED = 50;

export function createPlanSweep(deps: PlanSweepDeps): Pick<SweepActivities, 'planSweep'> {
  return {
    async planSweep({ projectId }): Promise<SweepFindings> {
      const roots = await deps.readRoots(projectId);
      // Never provisioned, or given up in the middle of it: there is no moment to compare with.
      if (roots.tenantId === null || roots.position.checkpoints.length === 0) return { reapable: NOTHING, abandoned: roots.abandoned, drift: [], orphans: [] };
      const moment = await deps.readCurrentMoment({ projectId });
      const [branches, leftovers, namespace, declared] = await Promise.all([
        deps.listBranches({ projectId, tenantId: roots.tenantId }), deps.listLeftovers(projectId), deps.readServed({ projectId, moment }), deps.declaredNow(projectId),
      ]);
      const endpoint: readonly TimelineId[] = branches.endpoint === null ? [] : [branches.endpoint];
      const plan = reapable({
        ...roots, ...leftovers, timelines: branches.timelines,
        position: { checkpoints: roots.position.checkpoints satisfies readonly CheckpointId[], timelines: [...roots.position.timelines, ...endpoint] },
        served: [...leftovers.served, ...namespace.trees],
      });
      return {
        reapable: plan, abandoned: roots.abandoned, drift: [...kindDrift(declared), ...namespace.drift].slice(0, LISTED), orphans: [...namespace.foreign, ...plan.foreignPins].slice(0, LISTED),
      };
    },
  };
}
