/** A project's row from first to last: made once, archived with what hangs on it, never deleted. */
import type { RecordsActivities } from '../../shared/ports.ts';
import type { PlatformDatabase } from './platform-database.ts';
import { lockProject } from './rows.ts';

export function createProjects({ database }: { database: PlatformDatabase }): Pick<RecordsActivities, 'ensureProject' | 'archiveProject'> {
  return {
    async ensureProject({ projectId, name }) {
      await database.query('INSERT INTO projects (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING', [projectId, name]);
    },

    async archiveProject(fenced) {
      await database.transaction(async (session) => {
        await lockProject(session, fenced);
        await session.query('UPDATE project_apps SET archived_at = coalesce(archived_at, now()) WHERE project_id = $1', [fenced.projectId]);
        await session.query(`UPDATE plan_revisions SET status = 'archived', archived_at = coalesce(archived_at, now()) WHERE project_id = $1`, [fenced.projectId]);
        await session.query(`UPDATE checkpoints SET status = 'void' WHERE project_id = $1`, [fenced.projectId]);
        await session.query(`UPDATE projects SET status = 'archived', archived_at = coalesce(archived_at, now()) WHERE id = $1`, [fenced.projectId]);
      });
    },
  };
}
