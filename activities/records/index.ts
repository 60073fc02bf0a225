/** All of the records store: Postgres rows that glue the other stores together. */
import type { RecordsActivities } from '../../shared/ports.ts';
import { createCheckpoints } from './checkpoints.ts';
import { withEvidence } from './checkpoint-evidence.ts';
import { createGeneration, declaredAfter } from './generation.ts';
import type { GenerationDeps } from './generation.ts';
import { createOperations } from './operations.ts';
import type { OperationDeps } from './operations.ts';
import { createProjects } from './projects.ts';
import { createRestorePlan } from './restore-plan.ts';
import type { RestorePlanDeps } from './restore-plan.ts';

export type RecordsDeps = OperationDeps & GenerationDeps & RestorePlanDeps;

export function createRecordsActivities(deps: RecordsDeps): RecordsActivities {
  const checkpoints = createCheckpoints({ database: deps.database, declaredAfter: (revisionId) => declaredAfter(deps, revisionId) });
  return {
    ...createProjects(deps),
    ...createOperations(deps),
    ...checkpoints,
    ...withEvidence(deps, checkpoints.completeCheckpoint),
    ...createGeneration(deps),
    ...createRestorePlan(deps),
  };
}
