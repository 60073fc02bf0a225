/**
 * Plan revisions from proposal to approval. Subtask rows hold NULL for an app that does not exist
 * yet; the `$NEW:` literal is written to the proposed spec only.
 */
import { AdorableError } from '../../shared/errors.ts';
import { materializedAppId } from '../../shared/derive.ts';
import type { ProjectId, RevisionId } from '../../shared/ids.ts';
import { creatorOf } from '../../shared/architect/plan.ts';
import type { PlanFeature } from '../../shared/architect/plan.ts';
import type { ValidPlan } from '../../shared/architect/validate-plan.ts';
import type { PlatformDatabase, Session } from './platform-database.ts';
import { readProject } from './rows.ts';

export interface RevisionSummary {
  readonly id: RevisionId;
  readonly number: number;
  readonly status: string;
  readonly message: string;
  readonly created_at: Date;
  readonly archived_at: Date | null;
  readonly subtasks: readonly {
    readonly featureId: string; readonly feature: string; readonly title: string; readonly blueprint: string; readonly change: string | null; readonly appId: string | null;
  }[];
}

export interface Proposal {
  readonly projectId: ProjectId;
  readonly revisionId: RevisionId;
  readonly plan: ValidPlan;
}

export async function recordProposal(database: PlatformDatabase, proposal: Proposal): Promise<void> {
  const { projectId, revisionId, plan } = proposal;
  await database.transaction(async (session) => {
    await readProject(session, projectId);
    await session.query('SELECT 1 FROM projects WHERE id = $1 FOR UPDATE', [projectId]);
    await session.query(
      `INSERT INTO plan_revisions (id, project_id, number, status, message)
       VALUES ($1, $2, (SELECT coalesce(max(number), 0) + 1 FROM plan_revisions WHERE project_id = $2), 'proposed', $3) ON CONFLICT (id) DO NOTHING`,
      [revisionId, projectId, plan.message],
    );
    await convergeSubtasks(session, proposal);
  });
}

/**
 * The rows of a revision's subtasks are what its plan says, in the order in which they are built. An app
 * that is not there yet stays NULL, or what it was resolved to: a repeat takes nothing back (I9).
 */
export async function convergeSubtasks(session: Session, { projectId, revisionId, plan }: Proposal): Promise<void> {
  const rows = plan.features.flatMap((feature) => feature.subtasks.map((subtask) => ({ feature, subtask })));
  await session.query(`DELETE FROM plan_subtasks WHERE revision_id = $1 AND NOT (id = ANY ($2))`, [revisionId, rows.map(({ feature, subtask }) => rowId(revisionId, feature, subtask.id))]);
  for (const [position, { feature, subtask }] of rows.entries()) {
    const creator = creatorOf(feature);
    await session.query(
      `INSERT INTO plan_subtasks AS s (id, revision_id, feature_id, feature_title, blueprint, change, title, position, app_id, brief)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $11)
       ON CONFLICT (id) DO UPDATE SET feature_title = $4, blueprint = $5, change = $6, title = $7, position = $8, brief = $11,
              app_id = coalesce($9, CASE WHEN s.app_id = $10 THEN s.app_id END)`,
      [rowId(revisionId, feature, subtask.id), revisionId, feature.id, feature.title, feature.blueprint, feature.change, subtask.title, position + 1,
        creator === undefined ? feature.targetAppId : null, creator === undefined ? null : materializedAppId(projectId, revisionId, creator), feature.brief ?? null],
    );
  }
}

const rowId = (revisionId: RevisionId, feature: Pick<PlanFeature, 'id'>, subtask: string): string => `${revisionId}/${feature.id}/${subtask}`;

/** proposed → approved. Approving what is approved already is a repeat, not an error. */
export async function approveRevision(database: PlatformDatabase, projectId: ProjectId, revisionId?: RevisionId): Promise<RevisionId> {
  return await database.transaction(async (session) => {
    const [row] = await session.query<{ id: RevisionId; status: string }>(
      `SELECT id, status FROM plan_revisions WHERE project_id = $1 AND ($2::text IS NULL AND status IN ('proposed', 'approved') OR id = $2) ORDER BY number DESC LIMIT 1 FOR UPDATE`,
      [projectId, revisionId ?? null],
    );
    if (row === undefined) throw new AdorableError('NotFound', `Project ${projectId} has no ${revisionId === undefined ? 'proposed plan' : `plan revision ${revisionId}`}: \`adorable chat\` proposes one.`);
    if (row.status !== 'proposed' && row.status !== 'approved') throw new AdorableError('PreconditionFailed', `Plan revision ${row.id} is ${row.status}: propose another with \`adorable chat\`.`);
    await session.query(`UPDATE plan_revisions SET status = 'approved' WHERE id = $1`, [row.id]);
    return row.id;
  });
}

export async function listRevisions(database: Session, projectId: ProjectId): Promise<RevisionSummary[]> {
  return await database.query<RevisionSummary>(
    `SELECT r.id, r.number, r.status, r.message, r.created_at, r.archived_at,
            coalesce(jsonb_agg(jsonb_build_object('featureId', s.feature_id, 'feature', s.feature_title, 'title', s.title, 'blueprint', s.blueprint, 'change', s.change, 'appId', s.app_id)
                               ORDER BY s.position) FILTER (WHERE s.id IS NOT NULL), '[]') AS subtasks
       FROM plan_revisions r LEFT JOIN plan_subtasks s ON s.revision_id = r.id
      WHERE r.project_id = $1 GROUP BY r.id ORDER BY r.number`,
    [projectId],
  );
}

export interface FeatureRow {
  readonly id: string;
  readonly title: string;
  readonly blueprint: string;
  readonly change: string | null;
  readonly brief: string | null;
  /** Titles of its subtasks, in their order. */
  readonly subtasks: readonly string[];
}

/** In the order that the bucket gives them. */
export async function featuresOf(database: PlatformDatabase, revisionId: RevisionId, featureIds: readonly string[]): Promise<FeatureRow[]> {
  return await database.query<FeatureRow>(
    `SELECT feature_id AS id, min(feature_title) AS title, min(blueprint) AS blueprint, min(change) AS change,
            min(brief) AS brief, array_agg(title ORDER BY position) AS subtasks
       FROM plan_subtasks WHERE revision_id = $1 AND feature_id = ANY ($2) GROUP BY feature_id ORDER BY array_position($2::text[], feature_id)`,
    [revisionId, featureIds],
  );
}
