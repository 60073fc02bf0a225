/** What people look at: projects, the tree of moments, runs. Read from the rows that own them. */
import type { Stuck } from '../shared/contract/operation.ts';
import type { CheckpointId, OperationId, ProjectId } from '../shared/ids.ts';
import { resolveAlias } from '../shared/restore/undo.ts';
import { isKept } from '../activities/data/reachable.ts';
import type { TimelineClient } from '../activities/data/timeline-client.ts';
import { readTree } from '../activities/records/restore-plan.ts';
import type { PlatformDatabase } from '../activities/records/platform-database.ts';
import { isEnding, liveApps, readProject } from '../activities/records/rows.ts';
import type { CheckpointRow } from '../activities/records/rows.ts';
import type { PendingActivity, TemporalGate } from './temporal.ts';

export interface ProjectSummary {
  readonly id: ProjectId;
  readonly name: string;
  readonly status: string;
  readonly apps: readonly { readonly slug: string; readonly kind: string; readonly primary: boolean; readonly url: string }[];
  readonly services: readonly string[];
}

export interface Preview {
  readonly domain: string;
  readonly port: number;
}

export function previewUrl(preview: Preview, name: string, projectId: ProjectId): string {
  return `http://${name}-${projectId}.${preview.domain}:${String(preview.port)}`;
}

export async function listProjects(database: PlatformDatabase, preview: Preview): Promise<ProjectSummary[]> {
  const rows = await database.query<{ id: ProjectId }>(`SELECT id FROM projects WHERE status <> 'archived' ORDER BY created_at`);
  return await Promise.all(rows.map((row) => describeProject(database, row.id, preview)));
}

export async function describeProject(database: PlatformDatabase, projectId: ProjectId, preview: Preview): Promise<ProjectSummary> {
  const project = await readProject(database, projectId);
  const apps = await liveApps(database, projectId);
  return {
    id: project.id, name: project.name, status: project.status, services: project.services,
    apps: apps.map((app) => ({ slug: app.slug, kind: app.kind, primary: app.is_primary, url: previewUrl(preview, app.slug, projectId) })),
  };
}

/** What a deletion is asked about: the name, also of a project that is archived while its end is still open. */
export async function nameToDelete(database: PlatformDatabase, projectId: ProjectId): Promise<string> {
  if (!(await isEnding(database, projectId))) return (await readProject(database, projectId)).name;
  const [row] = await database.query<{ name: string }>('SELECT name FROM projects WHERE id = $1', [projectId]);
  return row?.name ?? projectId;
}

export interface TimelineEntry {
  readonly id: CheckpointId;
  readonly kind: string;
  readonly label: string | null;
  readonly current: boolean;
  readonly parentId: CheckpointId | null;
  readonly aliasOf: CheckpointId | null;
  readonly commit: string;
  readonly timelineId: string;
  readonly lsn: string | null;
  readonly sealed: boolean;
  readonly apps: readonly string[];
  readonly createdAt: string;
  /** Whether its data can still be forked, as the timeline server says; null where it was not asked. */
  readonly reachable: boolean | null;
  /** When it stops to be; null while no end is known: what is kept is kept as long as the project. */
  readonly reachableUntil: string | null;
}

/** The tree of moments, oldest first; what is at current HEAD is flagged, whichever alias it goes by. */
export async function readTimeline(database: PlatformDatabase, projectId: ProjectId, timelines?: Pick<TimelineClient, 'listTimelines'>): Promise<TimelineEntry[]> {
  const project = await readProject(database, projectId);
  const rows = await database.query<CheckpointRow>(`SELECT * FROM checkpoints WHERE project_id = $1 AND status = 'complete' ORDER BY ordinal`, [projectId]);
  const current = project.current_checkpoint;
  const tree = current === null ? undefined : await readTree(database, project, current);
  const here = tree === undefined || current === null ? undefined : resolveAlias(tree, current).id;
  const kept = timelines === undefined || project.tenant_id === null ? undefined : new Map((await timelines.listTimelines(project.tenant_id)).map((info) => [info.timeline_id, info]));
  const reachable = ({ timeline_id, lsn }: CheckpointRow): boolean | null => {
    if (kept === undefined) return null;
    const info = kept.get(timeline_id);
    return info !== undefined && lsn !== null && isKept(info, lsn);
  };
  return rows.map((row) => ({
    id: row.id, kind: row.kind, label: row.label, current: row.id === current || row.id === here, parentId: row.parent_id, aliasOf: row.alias_of,
    commit: row.commit_sha, timelineId: row.timeline_id, lsn: row.lsn, sealed: row.sealed,
    apps: row.declared.apps.map((app) => app.slug), createdAt: row.created_at.toISOString(),
    reachable: reachable(row), reachableUntil: null,
  }));
}

export interface RunEntry {
  readonly operationId: OperationId;
  readonly kind: string;
  readonly phase: string;
  readonly decision: string | null;
  readonly outcome: string | null;
  readonly message: string | null;
  readonly startedAt: string;
  readonly closedAt: string | null;
  /** Activities that are being retried, with what they failed with last: an operation that is stuck says so here. */
  readonly retrying?: readonly PendingActivity[];
  /** What it has spent with the model: the cost is 0 where no prices are set. */
  readonly model?: { readonly tokens: number; readonly cost: number };
}

export interface OpenOperation {
  readonly projectId: ProjectId;
  readonly operationId: OperationId;
  readonly kind: string;
  readonly phase: string;
  readonly startedAt: string;
  readonly stuck?: Stuck;
}

/** Operations in progress on every project, with what they are stuck in. */
export async function listOpenOperations(database: PlatformDatabase, temporal: Pick<TemporalGate, 'stuck'>, stuckAfterMs?: number): Promise<OpenOperation[]> {
  const rows = await database.query<{ id: OperationId; project_id: ProjectId; kind: string; phase: string; started_at: Date }>('SELECT * FROM operations WHERE outcome IS NULL ORDER BY started_at');
  return await Promise.all(rows.map(async (row) => {
    const stuck = await temporal.stuck(row.project_id, stuckAfterMs);
    return { projectId: row.project_id, operationId: row.id, kind: row.kind, phase: row.phase, startedAt: row.started_at.toISOString(), ...(stuck === undefined ? {} : { stuck }) };
  }));
}

export async function listRuns(database: PlatformDatabase, temporal: TemporalGate, projectId: ProjectId): Promise<RunEntry[]> {
  await readProject(database, projectId);
  const rows = await database.query<{ id: OperationId; kind: string; phase: string; decision: string | null; outcome: string | null; message: string | null; started_at: Date; closed_at: Date | null; model_tokens: string; model_micros: string }>(
    'SELECT * FROM operations WHERE project_id = $1 ORDER BY started_at', [projectId],
  );
  return await Promise.all(rows.map(async (row) => {
    const entry: RunEntry = {
      operationId: row.id, kind: row.kind, phase: row.phase, decision: row.decision, outcome: row.outcome, message: row.message,
      startedAt: row.started_at.toISOString(), closedAt: row.closed_at?.toISOString() ?? null,
      ...(row.model_tokens === '0' ? {} : { model: { tokens: Number(row.model_tokens), cost: Number(row.model_micros) / 1e6 } }),
    };
    if (row.outcome !== null) return entry;
    const progress = await temporal.progress(projectId);
    const retrying = (await temporal.pending(projectId)).filter((activity) => activity.attempt > 1);
    return { ...entry, phase: progress?.phase ?? row.phase, ...(retrying.length === 0 ? {} : { retrying }) };
  }));
}
