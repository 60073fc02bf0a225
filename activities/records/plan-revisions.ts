/**
 * Plan revisions from proposal to approval. Subtask rows hold NULL for an app that does not exist
 * yet; the `$NEW:` literal is written to the proposed spec only.
 */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId, RevisionId } from '../../shared/ids.ts';
import type { ProposedPlan } from '../../shared/architect/plan.ts';
import type { PlatformDatabase } from './platform-database.ts';
import { readProject } from './rows.ts';

export interface RevisionSummary {
  readonly id: RevisionId;
  readonly number: number;
  readonly status: string;
  readonly message: string;
  readonly created_at: Date;
  readonly subtasks: readonly { readonly feature: string; readonly title: string; readonly blueprint: string; readonly appId: string | null }[];
}

export async function recordProposal(database: PlatformDatabase, projectId: ProjectId, revisionId: RevisionId, plan: ProposedPlan): Promise<void> {
  await database.transaction(async (session) => {
    await readProject(session, projectId);
    await session.query('SELECT 1 FROM projects WHERE id = $1 FOR UPDATE', [projectId]);
    await session.query(
      `INSERT INTO plan_revisions (id, project_id, number, status, message)
       VALUES ($1, $2, (SELECT coalesce(max(number), 0) + 1 FROM plan_revisions WHERE project_id = $2), 'proposed', $3) ON CONFLICT (id) DO NOTHING`,
      [revisionId, projectId, plan.message],
    );
    let position = 0;
    for (const feature of plan.features) {
      for (const subtask of feature.subtasks) {
        position += 1;
        await session.query(
          `INSERT INTO plan_subtasks (id, revision_id, feature_id, feature_title, blueprint, title, position, app_id)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
          [`${revisionId}/${feature.id}/${subtask.id}`, revisionId, feature.id, feature.title, feature.blueprint, subtask.title, position,
            feature.targetAppId.startsWith('$NEW:') ? null : feature.targetAppId],
        );
      }
    }
  });
}

/** proposed → approved. Approving what is approved already is a repeat, not an error. */
export async function approveRevision(database: PlatformDatabase, projectId: ProjectId, revisionId?: RevisionId): Promise<RevisionId> {
  return await database.transaction(async (session) => {
    const [row] = await session.query<{ id: RevisionId; status: string }>(
      `SELECT id, status FROM plan_revisions WHERE project_id = $1 AND ($2::text IS NULL AND status IN ('proposed', 'approved') OR id = $2) ORDER BY number DESC LIMIT 1 FOR UPDATE`,
      [projectId, revisionId ?? null],
    );
    if (row === undefined) throw new AdorableError('NotFound', `Project ${projectId} has no proposed plan: \`adorable chat\` proposes one.`);
    if (row.status !== 'proposed' && row.status !== 'approved') throw new AdorableError('PreconditionFailed', `Plan revision ${row.id} is ${row.status}: propose another with \`adorable chat\`.`);
    await session.query(`UPDATE plan_revisions SET status = 'approved' WHERE id = $1`, [row.id]);
    return row.id;
  });
}

export async function listRevisions(database: PlatformDatabase, projectId: ProjectId): Promise<RevisionSummary[]> {
  return await database.query<RevisionSummary>(
    `SELECT r.id, r.number, r.status, r.message, r.created_at,
            coalesce(jsonb_agg(jsonb_build_object('feature', s.feature_title, 'title', s.title, 'blueprint', s.blueprint, 'appId', s.app_id) ORDER BY s.position) FILTER (WHERE s.id IS NOT NULL), '[]') AS subtasks
       FROM plan_revisions r LEFT JOIN plan_subtasks s ON s.revision_id = r.id
      WHERE r.project_id = $1 GROUP BY r.id ORDER BY r.number`,
    [projectId],
  );
}

export interface FeatureRow {
  readonly id: string;
  readonly title: string;
  readonly blueprint: string;
}

export async function featuresOf(database: PlatformDatabase, revisionId: RevisionId, featureIds: readonly string[]): Promise<FeatureRow[]> {
  return await database.query<FeatureRow>(
    `SELECT DISTINCT feature_id AS id, feature_title AS title, blueprint FROM plan_subtasks WHERE revision_id = $1 AND feature_id = ANY ($2) ORDER BY feature_id`,
    [revisionId, featureIds],
  );
}
