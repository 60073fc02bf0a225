/**
 * The rows of a moment: apps archived or reactivated, never deleted; services; the plan revision
 * in force; the position in the tree of moments. The same statements for every direction.
 */
import type { ProjectId } from '../../shared/ids.ts';
import { redoStackAfter } from '../../shared/restore/undo.ts';
import type { Session } from './platform-database.ts';
import { readCheckpoint } from './rows.ts';
import type { CheckpointRow, OperationRow, ProjectRow, RevisionState } from './rows.ts';

/** What `planRestore` keeps in the operation's row of what the redo stack depends on. */
type RestoreRecord = Parameters<typeof redoStackAfter>[2];
type TargetRow = Pick<CheckpointRow, 'id' | 'declared'>;

export async function applyDeclared(session: Session, projectId: ProjectId, target: TargetRow): Promise<void> {
  const { declared } = target;
  const ids = declared.apps.map((app) => app.id);
  // Archive first: a slug that another app takes over is free before it is taken.
  await session.query(
    `UPDATE project_apps SET archived_at = now() WHERE project_id = $1 AND archived_at IS NULL AND state = 'live' AND NOT (id = ANY ($2))`,
    [projectId, ids],
  );
  for (const app of declared.apps) {
    await session.query(
      `UPDATE project_apps SET archived_at = NULL, state = 'live', slug = $3, name = $4, kind = $5, is_primary = $6, fs_dir_name = $7
       WHERE id = $1 AND project_id = $2
         AND (archived_at IS NOT NULL OR state <> 'live' OR (slug, name, kind, is_primary, fs_dir_name) IS DISTINCT FROM ($3, $4, $5, $6, $7))`,
      [app.id, projectId, app.slug, app.name, app.kind, app.isPrimary, app.fsDirName],
    );
  }
  await session.query('UPDATE projects SET services = $2, service_versions = $3, revision_id = $4 WHERE id = $1', [
    projectId, JSON.stringify(declared.services), JSON.stringify(declared.serviceVersions), declared.revisionId,
  ]);
  await applyRevisions(session, projectId, target);
}

/**
 * The revision of the moment is active, those on its way from the first moment are done, other
 * generated ones archived. Proposals are nobody's past: only a restore archives later ones.
 */
async function applyRevisions(session: Session, projectId: ProjectId, target: TargetRow): Promise<void> {
  await session.query(
    `WITH RECURSIVE way AS (
       SELECT id, coalesce(alias_of, parent_id) AS older, declared ->> 'revisionId' AS revision FROM checkpoints WHERE id = $2
       UNION SELECT c.id, coalesce(c.alias_of, c.parent_id), c.declared ->> 'revisionId' FROM checkpoints c JOIN way ON c.id = way.older
     ), wanted AS (
       SELECT r.id, CASE WHEN r.id = $3 THEN 'active' WHEN r.id IN (SELECT revision FROM way) THEN 'done' ELSE 'archived' END AS status
         FROM plan_revisions r WHERE r.project_id = $1 AND (r.id = $3 OR r.status NOT IN ('proposed', 'approved'))
          AND NOT (r.status = 'archived' AND r.operation_id IS NULL)
     )
     UPDATE plan_revisions r SET status = wanted.status, archived_at = CASE WHEN wanted.status = 'archived' THEN coalesce(r.archived_at, now()) END
       FROM wanted WHERE r.id = wanted.id AND r.status <> wanted.status`,
    [projectId, target.id, target.declared.revisionId],
  );
}

export async function revisionsNow(session: Session, projectId: ProjectId): Promise<readonly RevisionState[]> {
  return await session.query<RevisionState>('SELECT id, status, archived_at FROM plan_revisions WHERE project_id = $1', [projectId]);
}

/** none → target: position, timeline and rows move together in the deciding transaction. */
export async function takePosition(session: Session, project: ProjectRow, operation: OperationRow): Promise<void> {
  if (operation.kind === 'delete' || operation.forward === null) return;
  const { forward } = operation;
  const target = await readCheckpoint(session, project.id, forward.checkpointId);
  await applyDeclared(session, project.id, target);
  if (operation.kind === 'restore') {
    await archiveLaterRevisions(session, project.id, target.declared.revisionId);
    await session.query(
      `UPDATE checkpoints t SET status = 'complete', completed_at = coalesce(t.completed_at, now()), lsn = coalesce(t.lsn, s.lsn), sealed = CASE WHEN t.lsn IS NULL THEN false ELSE t.sealed END
         FROM checkpoints s WHERE t.id = $1 AND s.operation_id = t.operation_id AND s.kind = 'pre-restore' AND s.id <> t.id`,
      [target.id],
    );
  }
  await session.query('UPDATE projects SET current_checkpoint = $2, timeline_id = $3, redo_stack = $4 WHERE id = $1', [
    project.id, target.id, forward.timelineId, JSON.stringify(redoStackAfter(project.redo_stack, operation.kind, operation.plan as RestoreRecord | null)),
  ]);
}

/** target → back: exactly what the decision replaced. */
export async function restoreBefore(session: Session, project: ProjectRow, operation: OperationRow): Promise<void> {
  const { back, before } = operation;
  if (back === null || before === null) return;
  const source = await readCheckpoint(session, project.id, back.checkpointId);
  await applyDeclared(session, project.id, source);
  for (const revision of before.revisions) {
    await session.query('UPDATE plan_revisions SET status = $2, archived_at = $3 WHERE id = $1 AND project_id = $4', [revision.id, revision.status, revision.archived_at, project.id]);
  }
  // `back` names what is served then: where the project ran, or the fork that a migrating generation kept of it.
  await session.query('UPDATE projects SET current_checkpoint = $2, timeline_id = $3, redo_stack = $4 WHERE id = $1', [
    project.id, before.checkpointId, back.timelineId, JSON.stringify(before.redoStack),
  ]);
  await session.query(`UPDATE checkpoints SET status = 'void' WHERE operation_id = $1 AND id = $2`, [operation.id, operation.forward?.checkpointId ?? null]);
}

/** A proposal made after the restored moment belongs to a future that was left. */
async function archiveLaterRevisions(session: Session, projectId: ProjectId, revisionId: string | null): Promise<void> {
  await session.query(
    `UPDATE plan_revisions SET status = 'archived', archived_at = now()
      WHERE project_id = $1 AND status IN ('proposed', 'approved') AND number > coalesce((SELECT number FROM plan_revisions WHERE id = $2), 0)`,
    [projectId, revisionId],
  );
}
