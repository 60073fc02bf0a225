/**
 * A project as a plan is held against it: live and archived apps, what each was made from and
 * carries by the revisions in force. Pending apps belong to a generation, not to plans.
 */
import type { ArchitectApp, ArchitectProject } from '../../shared/architect/plan.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Session } from './platform-database.ts';
import { readProject } from './rows.ts';
import type { AppRow } from './rows.ts';

type Row = Pick<AppRow, 'id' | 'slug' | 'name' | 'kind' | 'is_primary' | 'archived_at'> & { readonly blueprint: string | null; readonly changes: readonly string[] };

export async function readArchitectProject(session: Session, projectId: ProjectId): Promise<ArchitectProject> {
  const { services } = await readProject(session, projectId);
  const rows = await session.query<Row>(
    `SELECT a.id, a.slug, a.name, a.kind, a.is_primary, a.archived_at,
            (SELECT s.blueprint FROM plan_subtasks s WHERE s.app_id = a.id AND s.change IS NULL ORDER BY s.id LIMIT 1) AS blueprint,
            ARRAY(SELECT DISTINCT s.change FROM plan_subtasks s JOIN plan_revisions r ON r.id = s.revision_id
                   WHERE s.app_id = a.id AND s.change IS NOT NULL AND r.status IN ('active', 'done') ORDER BY 1) AS changes
       FROM project_apps a WHERE a.project_id = $1 AND a.state = 'live' ORDER BY a.slug, a.created_at`,
    [projectId],
  );
  return { services, apps: rows.map(toApp) };
}

function toApp({ id, slug, name, kind, is_primary, archived_at, blueprint, changes }: Row): ArchitectApp {
  return { id, slug, name, kind, isPrimary: is_primary, archived: archived_at !== null, blueprint, changes };
}
