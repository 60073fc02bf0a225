/** What the rows refer to, for a sweep; and the intents that closed operations left, voided under the fence. */
import { AdorableError } from '../../shared/errors.ts';
import type { CheckpointId, OperationId, ProjectId, TenantId, TimelineId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/moment.ts';
import type { SweepActivities } from '../../shared/ports.ts';
import type { ReapFacts } from '../../shared/restore/reap.ts';
import type { PlatformDatabase } from './platform-database.ts';
import { lockProject, readProject } from './rows.ts';
import type { CheckpointRow } from './rows.ts';

export interface Roots extends Pick<ReapFacts, 'checkpoints' | 'position' | 'operations'> {
  /** Null while the project was never provisioned. */
  readonly tenantId: TenantId | null;
  readonly abandoned: OperationId | null;
}

/** A generation that may be taken up again keeps what its finished buckets made. */
const RESUMABLE = 'failed-resumable';

export async function readRoots(database: PlatformDatabase, projectId: ProjectId): Promise<Roots> {
  const project = await readProject(database, projectId);
  const checkpoints = await database.query<Pick<CheckpointRow, 'id' | 'status' | 'operation_id' | 'timeline_id' | 'commit_sha' | 'tree'>>(
    'SELECT id, status, operation_id, timeline_id, commit_sha, tree FROM checkpoints WHERE project_id = $1', [projectId],
  );
  // What a failed generation left is another's to take up for as long as its plan waits to be generated.
  const operations = await database.query<{ id: OperationId; outcome: string | null; forward: Moment | null; back: Moment | null; resumable: boolean }>(
    `SELECT o.id, o.outcome, o.forward, o.back, (o.outcome = $2 AND r.id IS NOT NULL) IS TRUE AS resumable
       FROM operations o LEFT JOIN plan_revisions r ON r.id = o.details -> 'resumable' ->> 'revisionId' AND r.status = 'approved' WHERE o.project_id = $1`,
    [projectId, RESUMABLE],
  );
  const ids = <T>(...values: readonly (T | null | undefined)[]): T[] => values.filter((value): value is T => value !== null && value !== undefined);
  return {
    tenantId: project.tenant_id,
    checkpoints: checkpoints.map((row) => ({ id: row.id, status: row.status, operationId: row.operation_id, timelineId: row.timeline_id, commit: row.commit_sha })),
    position: { checkpoints: ids<CheckpointId>(project.current_checkpoint, ...project.redo_stack), timelines: ids<TimelineId>(project.timeline_id) },
    operations: operations.map((row) => ({ id: row.id, open: row.outcome === null, resumable: row.resumable, timelines: ids(row.forward?.timelineId, row.back?.timelineId) })),
    abandoned: operations.find((row) => row.outcome === null)?.id ?? null,
  };
}

export function createSweepRecords({ database }: { database: PlatformDatabase }): Pick<SweepActivities, 'listProjects' | 'voidIntents'> {
  return {
    async listProjects() {
      return (await database.query<{ id: ProjectId }>(`SELECT id FROM projects WHERE status <> 'archived' ORDER BY created_at, id`)).map((row) => row.id);
    },

    async voidIntents({ checkpointIds, ...fenced }) {
      await database.transaction(async (session) => {
        const project = await lockProject(session, fenced);
        const named = checkpointIds.filter((id) => id === project.current_checkpoint || project.redo_stack.includes(id));
        if (named.length > 0) throw new AdorableError('InvariantViolated', `Checkpoints ${named.join(', ')} are where project ${fenced.projectId} is: nothing was voided.`);
        await session.query(
          `UPDATE checkpoints c SET status = 'void' FROM operations o
           WHERE c.id = ANY($2) AND c.project_id = $1 AND c.status = 'intent' AND o.id = c.operation_id AND o.outcome IS NOT NULL`,
          [fenced.projectId, checkpointIds],
        );
      });
    },
  };
}
