/**
 * The rows a generation reads and writes before its decision: the revision to generate, pending
 * apps, resolved sentinels, buckets. An app row is `pending` until the decision makes it live.
 */
import { AdorableError } from '../../shared/errors.ts';
import { materializedAppId } from '../../shared/derive.ts';
import type { Resumable } from '../../shared/contract/operation.ts';
import type { AppId, OperationId, ProjectId, RevisionId } from '../../shared/ids.ts';
import type { MaterializedApp, RecordsActivities, Reuse } from '../../shared/ports.ts';
import { bucketPlanByAppId } from '../../shared/spec/buckets.ts';
import type { PlannedSubtask } from '../../shared/spec/buckets.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import type { PlanFeature } from '../../shared/architect/plan.ts';
import type { PlatformDatabase, Session } from './platform-database.ts';
import { declaredByRows, lockProject, readProject, toDeclaredApp } from './rows.ts';
import type { AppRow } from './rows.ts';

export interface GenerationDeps {
  readonly database: PlatformDatabase;
  /** The proposed spec's features, where alone the `$NEW:` literals live. */
  readonly readPlanFeatures: (projectId: ProjectId, revisionId: RevisionId) => Promise<readonly PlanFeature[]>;
  readonly serviceVersion: (serviceId: string) => string | undefined;
}

interface RevisionRow {
  readonly id: RevisionId;
  readonly project_id: ProjectId;
  readonly status: string;
  readonly operation_id: string | null;
}

type Generation = Pick<
  RecordsActivities,
  'planGeneration' | 'ensurePendingApp' | 'dropPendingApp' | 'resolveCreatesAppSentinels' | 'bucketPlan' | 'pendingOf'
>;

export function createGeneration(deps: GenerationDeps): Generation {
  const { database, readPlanFeatures } = deps;
  return {
    async planGeneration({ revisionId, resumes, ...fenced }) {
      const revision = await database.transaction(async (session) => {
        await lockProject(session, fenced);
        const chosen = await chooseRevision(session, fenced.projectId, revisionId);
        await session.query('UPDATE plan_revisions SET operation_id = $2 WHERE id = $1', [chosen.id, fenced.operationId]);
        return chosen;
      });
      const features = await readPlanFeatures(fenced.projectId, revision.id);
      const project = await readProject(database, fenced.projectId);
      const wanted = new Set(features.flatMap((feature) => feature.services));
      return {
        revisionId: revision.id,
        creates: features.flatMap((feature) => toMaterialized(fenced.projectId, revision.id, feature)),
        addsServices: [...wanted].filter((id) => !project.services.includes(id) && deps.serviceVersion(id) !== undefined).sort(),
        reuse: resumes ? await finishedBefore(database, fenced.projectId, revision.id) : null,
      };
    },

    async ensurePendingApp({ app, ...fenced }) {
      await database.transaction(async (session) => {
        await lockProject(session, fenced);
        const [taken] = await session.query<AppRow>('SELECT * FROM project_apps WHERE project_id = $1 AND slug = $2 AND archived_at IS NULL', [fenced.projectId, app.slug]);
        if (taken !== undefined && taken.id !== app.appId) throw new AdorableError('UnmaterializedApp', `The slug ${app.slug} belongs to ${taken.id}: nothing was generated; propose the app under another slug.`);
        // A project's first app is its primary by declaration; later ones never become it by default.
        await session.query(
          `INSERT INTO project_apps (id, project_id, slug, name, kind, is_primary, fs_dir_name, operation_id)
           VALUES ($1, $2, $3, $4, $5, NOT EXISTS (SELECT FROM project_apps WHERE project_id = $2 AND is_primary AND archived_at IS NULL), $3, $6)
           ON CONFLICT (id) DO UPDATE SET operation_id = EXCLUDED.operation_id, archived_at = NULL WHERE project_apps.state = 'pending'`,
          [app.appId, fenced.projectId, app.slug, app.name, app.kind, fenced.operationId],
        );
      });
    },

    async dropPendingApp({ appId, ...fenced }) {
      await database.transaction(async (session) => {
        await lockProject(session, fenced);
        await session.query('UPDATE plan_subtasks SET app_id = NULL WHERE app_id = $1 AND EXISTS (SELECT FROM project_apps WHERE id = $1 AND (state = \'pending\' OR archived_at IS NOT NULL))', [appId]);
        await session.query(`DELETE FROM project_apps WHERE id = $1 AND project_id = $2 AND state = 'pending'`, [appId, fenced.projectId]);
      });
    },

    async resolveCreatesAppSentinels({ revisionId, ...fenced }) {
      const features = await readPlanFeatures(fenced.projectId, revisionId);
      await database.transaction(async (session) => {
        await lockProject(session, fenced);
        for (const feature of features) {
          const appId = resolvedTarget(fenced.projectId, revisionId, feature);
          await session.query('UPDATE plan_subtasks SET app_id = $3 WHERE revision_id = $1 AND feature_id = $2 AND app_id IS DISTINCT FROM $3', [revisionId, feature.id, appId]);
        }
      });
    },

    async bucketPlan({ revisionId, ...fenced }) {
      const subtasks = await database.query<{ id: string; feature_id: string; app_id: string | null }>('SELECT id, feature_id, app_id FROM plan_subtasks WHERE revision_id = $1 ORDER BY position', [revisionId]);
      const apps = await database.query<AppRow>(
        `SELECT * FROM project_apps WHERE (archived_at IS NULL AND state = 'live') OR archived_at IS NOT NULL OR operation_id = $1`, [fenced.operationId],
      );
      return bucketPlanByAppId(
        fenced.projectId,
        subtasks.map((row): PlannedSubtask => ({ id: row.id, featureId: row.feature_id, appId: row.app_id })),
        apps.map((app) => ({ id: app.id, projectId: app.project_id, slug: app.slug, archived: app.archived_at !== null })),
      );
    },

    async pendingOf(fenced) {
      const apps = await database.query<{ id: AppId }>('SELECT id FROM project_apps WHERE project_id = $1 AND operation_id = $2', [fenced.projectId, fenced.operationId]);
      const [revision] = await database.query<RevisionRow>('SELECT * FROM plan_revisions WHERE project_id = $1 AND operation_id = $2', [fenced.projectId, fenced.operationId]);
      if (revision === undefined) return { apps: apps.map((app) => app.id), services: [] };
      const features = await readPlanFeatures(fenced.projectId, revision.id);
      const [before] = await database.query<{ services: readonly string[] }>(
        `SELECT c.declared -> 'services' AS services FROM checkpoints c WHERE c.operation_id = $1 AND c.kind = 'pre-generation'`, [fenced.operationId],
      );
      const had = new Set(before?.services ?? []);
      const services = [...new Set(features.flatMap((feature) => feature.services))].filter((id) => deps.serviceVersion(id) !== undefined && before !== undefined && !had.has(id));
      return { apps: apps.map((app) => app.id), services: services.sort() };
    },
  };
}

/** The declared state that a revision leads to: what lives now, plus what its generation has pending. */
export async function declaredAfter(deps: GenerationDeps, revisionId: RevisionId): Promise<Declared> {
  const [revision] = await deps.database.query<RevisionRow>('SELECT * FROM plan_revisions WHERE id = $1', [revisionId]);
  if (revision === undefined) throw new AdorableError('NotFound', `No plan revision ${revisionId}.`);
  const project = await readProject(deps.database, revision.project_id);
  const now = await declaredByRows(deps.database, project);
  const pending = await deps.database.query<AppRow>(`SELECT * FROM project_apps WHERE project_id = $1 AND operation_id = $2 AND state = 'pending'`, [revision.project_id, revision.operation_id]);
  const features = await deps.readPlanFeatures(revision.project_id, revisionId);
  const services = [...new Set([...now.services, ...features.flatMap((feature) => feature.services)])].sort();
  return {
    apps: [...now.apps, ...pending.map(toDeclaredApp)].sort((a, b) => (a.slug < b.slug ? -1 : 1)),
    services,
    serviceVersions: Object.fromEntries(services.flatMap((id) => {
      const version = now.serviceVersions[id] ?? deps.serviceVersion(id);
      return version === undefined ? [] : [[id, version]];
    })),
    revisionId,
  };
}

/** What the newest run of this revision left to be taken up; a later run of it that ended otherwise leaves nothing. */
async function finishedBefore(database: PlatformDatabase, projectId: ProjectId, revisionId: RevisionId): Promise<Reuse | null> {
  const [row] = await database.query<{ id: OperationId; resumable: Resumable | null }>(
    `SELECT id, details -> 'resumable' AS resumable FROM operations
      WHERE project_id = $1 AND kind = 'generate' AND outcome = 'failed-resumable' AND details -> 'resumable' ->> 'revisionId' = $2 ORDER BY started_at DESC LIMIT 1`,
    [projectId, revisionId],
  );
  return row?.resumable == null ? null : { operationId: row.id, apps: row.resumable.finished };
}

async function chooseRevision(session: Session, projectId: ProjectId, revisionId: RevisionId | undefined): Promise<RevisionRow> {
  const [row] = revisionId === undefined
    ? await session.query<RevisionRow>(`SELECT * FROM plan_revisions WHERE project_id = $1 AND status = 'approved' ORDER BY number DESC LIMIT 1`, [projectId])
    : await session.query<RevisionRow>('SELECT * FROM plan_revisions WHERE project_id = $1 AND id = $2', [projectId, revisionId]);
  if (row === undefined) throw new AdorableError('PreconditionFailed', `Project ${projectId} has no approved plan: \`adorable chat\` proposes one, \`adorable plan approve\` approves it.`);
  if (row.status !== 'approved') throw new AdorableError('PreconditionFailed', `Plan revision ${row.id} is ${row.status}: only an approved one is generated.`);
  return row;
}

function toMaterialized(projectId: ProjectId, revisionId: RevisionId, feature: PlanFeature): MaterializedApp[] {
  if (feature.createsApp === undefined) return [];
  const { slug, kind, name } = feature.createsApp;
  return [{ appId: materializedAppId(projectId, revisionId, feature.id), slug, kind, name, featureId: feature.id }];
}

/** `$NEW:<feature>` names the feature that creates the app; siblings may point at the same one. */
function resolvedTarget(projectId: ProjectId, revisionId: RevisionId, feature: PlanFeature): string {
  if (!feature.targetAppId.startsWith('$NEW:')) return feature.targetAppId;
  return materializedAppId(projectId, revisionId, feature.targetAppId.slice('$NEW:'.length));
}
