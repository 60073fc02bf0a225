/** Rows of the platform database as the domain sees them, and the fence every write passes. */
import { AdorableError } from '../../shared/errors.ts';
import type { AppId, CheckpointId, CommitSha, OperationId, ProjectId, RevisionId, TenantId, TimelineId, TreeHash } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import type { CheckpointKind, Fenced, Moment, OperationKind, RecordedMoment } from '../../shared/moment.ts';
import type { Decision } from '../../shared/ports.ts';
import type { AppKind, Declared, DeclaredApp } from '../../shared/spec/declared.ts';
import type { Slug } from '../../shared/slug.ts';
import type { Session } from './platform-database.ts';

export interface ProjectRow {
  readonly id: ProjectId;
  readonly name: string;
  readonly status: 'provisioning' | 'idle' | 'busy' | 'archived';
  readonly fence: string;
  readonly tenant_id: TenantId | null;
  readonly timeline_id: TimelineId | null;
  readonly current_checkpoint: CheckpointId | null;
  readonly revision_id: RevisionId | null;
  readonly services: readonly string[];
  readonly service_versions: Readonly<Record<string, string>>;
  readonly redo_stack: readonly CheckpointId[];
}

export interface AppRow {
  readonly id: AppId;
  readonly project_id: ProjectId;
  readonly slug: Slug;
  readonly name: string;
  readonly kind: AppKind;
  readonly is_primary: boolean;
  readonly fs_dir_name: string;
  readonly state: 'pending' | 'live';
  readonly operation_id: OperationId;
  readonly archived_at: Date | null;
}

export interface CheckpointRow {
  readonly id: CheckpointId;
  readonly ordinal: string;
  readonly project_id: ProjectId;
  readonly operation_id: OperationId;
  readonly kind: CheckpointKind;
  readonly status: 'intent' | 'complete' | 'void';
  readonly label: string | null;
  readonly parent_id: CheckpointId | null;
  readonly alias_of: CheckpointId | null;
  readonly commit_sha: CommitSha;
  readonly tree: TreeHash;
  readonly tenant_id: TenantId;
  readonly timeline_id: TimelineId;
  readonly lsn: Lsn | null;
  readonly sealed: boolean;
  readonly declared: Declared;
  readonly created_at: Date;
}

export interface OperationRow {
  readonly id: OperationId;
  readonly project_id: ProjectId;
  readonly kind: OperationKind;
  readonly fence: string;
  readonly decision: Decision | null;
  readonly final_at: Date | null;
  readonly forward: Moment | null;
  readonly back: Moment | null;
  readonly plan: unknown;
  readonly before: Before | null;
  readonly outcome: string | null;
  readonly message: string | null;
  readonly details: Record<string, unknown> | null;
  readonly started_at: Date;
  readonly closed_at: Date | null;
}

/** What `decide` replaced, so that `back` restores exactly it. */
export interface Before {
  readonly checkpointId: CheckpointId | null;
  readonly timelineId: TimelineId | null;
  readonly redoStack: readonly CheckpointId[];
  readonly revisions: readonly RevisionState[];
}

export interface RevisionState {
  readonly id: RevisionId;
  readonly status: string;
  readonly archived_at: string | null;
}

/** Locks the project's row and refuses a fence that is not the newest (I2): the last writer holds it. */
export async function lockProject(session: Session, fenced: Fenced): Promise<ProjectRow> {
  const [row] = await session.query<ProjectRow>('SELECT * FROM projects WHERE id = $1 FOR UPDATE', [fenced.projectId]);
  if (row === undefined) throw new AdorableError('NotFound', `No project ${fenced.projectId}: see \`adorable projects\`.`);
  if (Number(row.fence) !== fenced.fence) {
    throw new AdorableError('StaleFence', `Operation ${fenced.operationId} holds fence ${String(fenced.fence)}, project ${fenced.projectId} is at ${row.fence}: a newer operation took over.`);
  }
  return row;
}

export async function readProject(session: Session, projectId: ProjectId): Promise<ProjectRow> {
  const [row] = await session.query<ProjectRow>('SELECT * FROM projects WHERE id = $1', [projectId]);
  if (row === undefined || row.status === 'archived') throw new AdorableError('NotFound', `No project ${projectId}: see \`adorable projects\`.`);
  return row;
}

/** Whether the project is archived with its own end still open: a delete, or a provisioning taken back, whose run was terminated. */
export async function isEnding(session: Session, projectId: ProjectId): Promise<boolean> {
  const rows = await session.query(`SELECT FROM projects p JOIN operations o ON o.project_id = p.id WHERE p.id = $1 AND p.status = 'archived' AND o.outcome IS NULL`, [projectId]);
  return rows.length > 0;
}

export async function liveApps(session: Session, projectId: ProjectId): Promise<AppRow[]> {
  return await session.query<AppRow>(`SELECT * FROM project_apps WHERE project_id = $1 AND archived_at IS NULL AND state = 'live' ORDER BY slug`, [projectId]);
}

export async function readCheckpoint(session: Session, projectId: ProjectId, id: CheckpointId): Promise<CheckpointRow> {
  // Another project's checkpoint is as unknown as one that never was (I8).
  const [row] = await session.query<CheckpointRow>('SELECT * FROM checkpoints WHERE id = $1 AND project_id = $2', [id, projectId]);
  if (row === undefined) throw new AdorableError('NotFound', `Project ${projectId} has no checkpoint ${id}: see \`adorable timeline ${projectId}\`.`);
  return row;
}

/** Whether a generation recorded it: where it goes, or where it came from. */
export async function isOfGeneration(session: Session, checkpoint: Pick<CheckpointRow, 'operation_id'>): Promise<boolean> {
  const [operation] = await session.query<{ kind: OperationKind }>('SELECT kind FROM operations WHERE id = $1', [checkpoint.operation_id]);
  return operation?.kind === 'generate';
}

export async function readOperation(session: Session, fenced: Pick<Fenced, 'projectId' | 'operationId'>): Promise<OperationRow> {
  const [row] = await session.query<OperationRow>('SELECT * FROM operations WHERE id = $1 AND project_id = $2', [fenced.operationId, fenced.projectId]);
  if (row === undefined) throw new AdorableError('NotFound', `Project ${fenced.projectId} has no operation ${fenced.operationId}: see \`adorable runs ${fenced.projectId}\`.`);
  return row;
}

export function toDeclaredApp(row: AppRow): DeclaredApp {
  return { id: row.id, slug: row.slug, name: row.name, kind: row.kind, isPrimary: row.is_primary, fsDirName: row.fs_dir_name };
}

export async function declaredByRows(session: Session, project: ProjectRow): Promise<Declared> {
  const apps = await liveApps(session, project.id);
  return { apps: apps.map(toDeclaredApp), services: project.services, serviceVersions: project.service_versions, revisionId: project.revision_id };
}

/** A recorded moment; refused while its LSN is not known, since nothing can be forked from it. */
export function toRecordedMoment(row: CheckpointRow): RecordedMoment {
  if (row.lsn === null || row.status !== 'complete') {
    throw new AdorableError('Unreachable', `Checkpoint ${row.id} was never completed: choose another from the timeline.`);
  }
  return {
    checkpointId: row.id, commit: row.commit_sha, tree: row.tree, tenantId: row.tenant_id, timelineId: row.timeline_id,
    lsn: row.lsn, sealed: row.sealed,
  };
}
