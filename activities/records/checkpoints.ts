/** Checkpoints: the intent is written first and completed last; a void one stays as a row. */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId, RevisionId } from '../../shared/ids.ts';
import type { CompletedCheckpoint, RecordsActivities } from '../../shared/ports.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import { applyDeclared } from './converge-rows.ts';
import type { PlatformDatabase, Session } from './platform-database.ts';
import { declaredByRows, lockProject, readCheckpoint } from './rows.ts';
import type { CheckpointRow } from './rows.ts';

export interface CheckpointDeps {
  readonly database: PlatformDatabase;
  readonly declaredAfter: (revisionId: RevisionId) => Promise<Declared>;
}

type Checkpoints = Pick<RecordsActivities, 'recordCheckpointIntent' | 'completeCheckpoint' | 'voidCheckpoint' | 'convergeRows'>;

export function createCheckpoints({ database, declaredAfter }: CheckpointDeps): Checkpoints {
  return {
    async recordCheckpointIntent({ moment, kind, parentId, declaredFrom, label, ...fenced }) {
      const after = declaredFrom === 'rows' ? undefined : await declaredAfter(declaredFrom);
      await database.transaction(async (session) => {
        const project = await lockProject(session, fenced);
        const declared = after ?? (await declaredByRows(session, project));
        await session.query(
          `INSERT INTO checkpoints (id, project_id, operation_id, kind, label, parent_id, commit_sha, tree, tenant_id, timeline_id, declared)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
           ON CONFLICT (id) DO UPDATE SET commit_sha = EXCLUDED.commit_sha, tree = EXCLUDED.tree, declared = EXCLUDED.declared, status = 'intent'
           WHERE checkpoints.status <> 'complete' AND checkpoints.project_id = EXCLUDED.project_id`,
          [moment.checkpointId, fenced.projectId, fenced.operationId, kind, label ?? null, parentId, moment.commit, moment.tree, moment.tenantId, moment.timelineId, JSON.stringify(declared)],
        );
      });
    },

    async completeCheckpoint({ makeCurrent, ...input }) {
      await database.transaction(async (session) => {
        await lockProject(session, input);
        const { projectId, operationId } = input;
        const row = await completeIntent(session, projectId, input);
        if (!makeCurrent) return;
        await session.query('UPDATE projects SET current_checkpoint = $2, tenant_id = $3, timeline_id = $4 WHERE id = $1', [projectId, row.id, row.tenant_id, row.timeline_id]);
        await session.query(`UPDATE operations SET decision = coalesce(decision, 'target') WHERE id = $1`, [operationId]);
      });
    },

    async voidCheckpoint({ checkpointId, ...fenced }) {
      await database.transaction(async (session) => {
        const project = await lockProject(session, fenced);
        await session.query(
          `UPDATE checkpoints SET status = 'void' WHERE project_id = $1 AND operation_id = $2 AND (id = $3 OR status = 'intent') AND id IS DISTINCT FROM $4`,
          [fenced.projectId, fenced.operationId, checkpointId, project.current_checkpoint],
        );
      });
    },

    async convergeRows({ moment, ...fenced }) {
      await database.transaction(async (session) => {
        await lockProject(session, fenced);
        await applyDeclared(session, fenced.projectId, await readCheckpoint(session, fenced.projectId, moment.checkpointId));
      });
    },
  };
}

/** An intent and the exact point of each store: from here on a moment that can be gone to. A repeat changes nothing. */
export async function completeIntent(session: Session, projectId: ProjectId, point: CompletedCheckpoint): Promise<CheckpointRow> {
  const { checkpointId, lsn, sealed, commit, tree } = point;
  const row = await readCheckpoint(session, projectId, checkpointId);
  if (row.status === 'void') throw new AdorableError('PreconditionFailed', `Checkpoint ${checkpointId} was voided.`);
  await session.query(
    `UPDATE checkpoints SET status = 'complete', lsn = $2, sealed = $3, commit_sha = $4, tree = $5, completed_at = coalesce(completed_at, now()) WHERE id = $1 AND (status <> 'complete' OR lsn IS DISTINCT FROM $2)`,
    [checkpointId, lsn, sealed, commit, tree],
  );
  return row;
}
