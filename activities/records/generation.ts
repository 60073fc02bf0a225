/**
 * The rows a generation reads and writes before its decision: the revision to generate, pending
 * apps, resolved sentinels, buckets. An app row is `pending` until the decision makes it live.
 */
import { AdorableError } from '../../shared/errors.ts';
import { materializedAppId } from '../../shared/derive.ts';
import type { Resumable } from '../../shared/contract/operation.ts';
import type { AppId, CommitSha, OperationId, ProjectId, RevisionId } from '../../shared/ids.ts';
import type { MaterializedApp, RecordsActivities, Reuse } from '../../shared/ports.ts';
import { bucketPlanByAppId } from '../../shared/spec/buckets.ts';
import type { PlannedSubtask } from '../../shared/spec/buckets.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import { parsePlan } from '../../shared/architect/parse-plan.ts';
import { creatorOf } from '../../shared/architect/plan.ts';
import type { PlanCatalog, PlanFeature } from '../../shared/architect/plan.ts';
import { refused, validatePlan } from '../../shared/architect/validate-plan.ts';
import { readArchitectProject } from './architect-project.ts';
import { convergeSubtasks } from './plan-revisions.ts';
import type { PlatformDatabase, Session } from './platform-database.ts';
import { declaredByRows, lockProject, readProject, toDeclaredApp } from './rows.ts';
import type { AppRow } from './rows.ts';

export interface GenerationDeps {
  readonly database: PlatformDatabase;
  /** The proposed spec, where alone the `$NEW:` literals live: as it is now, or as one commit had it. */
  readonly readPlan: (input: { projectId: ProjectId; revisionId: RevisionId; commit?: CommitSha }) => Promise<{ readonly commit: CommitSha; readonly document: unknown }>;
  /** What a plan may ask for. */
  readonly catalog: () => Promise<PlanCatalog>;
  readonly serviceVersion: (serviceId: string) => string | undefined;
}

interface RevisionRow {
  readonly id: RevisionId;
  readonly project_id: ProjectId;
  readonly status: string;
  readonly operation_id: string | null;
  readonly plan_commit: CommitSha | null;
}

type Generation = Pick<
  RecordsActivities,
  'planGeneration' | 'ensurePendingApp' | 'dropPendingApp' | 'resolveCreatesAppSentinels' | 'bucketPlan' | 'pendingOf'
>;

export function createGeneration(deps: GenerationDeps): Generation {
  const { database } = deps;
  return {
    async planGeneration({ revisionId: wish, resumes = false, ...fenced }) {
      const { projectId } = fenced;
      const revision = await database.transaction(async (session) => {
        await lockProject(session, fenced);
        return await chooseRevision(session, projectId, wish);
      });
      // Read back and held against the project again: a person may have edited it, and the project has moved on.
      const { commit, document } = await deps.readPlan({ projectId, revisionId: revision.id });
      const catalog = await deps.catalog();
      const { plan, project } = await database.transaction(async (session) => {
        await lockProject(session, fenced);
        const { id } = await chooseRevision(session, projectId, revision.id);
        const project = await readArchitectProject(session, projectId);
        const plan = validatePlan(document, project, catalog);
        await session.query('UPDATE plan_revisions SET operation_id = $2, plan_commit = $3 WHERE id = $1', [id, fenced.operationId, commit]);
        await convergeSubtasks(session, { projectId, revisionId: id, plan });
        return { plan, project };
      });
      const wanted = new Set(plan.features.flatMap((feature) => feature.services));
      return {
        revisionId: revision.id,
        creates: plan.features.flatMap((feature) => toMaterialized(projectId, revision.id, feature)),
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
      const features = await acceptedFeatures(deps, await readRevision(database, revisionId));
      await database.transaction(async (session) => {
        await lockProject(session, fenced);
        for (const feature of features) {
          const appId = resolvedTarget(fenced.projectId, revisionId, feature);
          await session.query('UPDATE plan_subtasks SET app_id = $3 WHERE revision_id = $1 AND feature_id = $2 AND app_id IS DISTINCT FROM $3', [revisionId, feature.id, appId]);
        }
      });
    },

    async bucketPlan({ revisionId, ...fenced }) {
      const subtasks = await database.query<{ id: string; feature_id: string; app_id: string | null; position: number }>('SELECT id, feature_id, app_id, position FROM plan_subtasks WHERE revision_id = $1', [revisionId]);
      const apps = await database.query<AppRow>(
        `SELECT * FROM project_apps WHERE project_id = $1 AND (state = 'live' OR archived_at IS NOT NULL OR operation_id = $2)`, [fenced.projectId, fenced.operationId],
      );
      return bucketPlanByAppId(
        fenced.projectId,
        subtasks.map((row): PlannedSubtask => ({ id: row.id, featureId: row.feature_id, appId: row.app_id, position: row.position })),
        apps.map((app) => ({ id: app.id, projectId: app.project_id, slug: app.slug, archived: app.archived_at !== null })),
      );
    },

    async pendingOf(fenced) {
      const apps = await database.query<{ id: AppId }>('SELECT id FROM project_apps WHERE project_id = $1 AND operation_id = $2', [fenced.projectId, fenced.operationId]);
      const [revision] = await database.query<RevisionRow>('SELECT * FROM plan_revisions WHERE project_id = $1 AND operation_id = $2', [fenced.projectId, fenced.operationId]);
      if (revision === undefined) return { apps: apps.map((app) => app.id), services: [] };
      const features = await acceptedFeatures(deps, revision);
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
  const revision = await readRevision(deps.database, revisionId);
  const project = await readProject(deps.database, revision.project_id);
  const now = await declaredByRows(deps.database, project);
  const pending = await deps.database.query<AppRow>(`SELECT * FROM project_apps WHERE project_id = $1 AND operation_id = $2 AND state = 'pending'`, [revision.project_id, revision.operation_id]);
  const features = await acceptedFeatures(deps, revision);
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

async function readRevision(session: Session, revisionId: RevisionId): Promise<RevisionRow> {
  const [revision] = await session.query<RevisionRow>('SELECT * FROM plan_revisions WHERE id = $1', [revisionId]);
  if (revision === undefined) throw new AdorableError('NotFound', `No plan revision ${revisionId}.`);
  return revision;
}

/** The features as the generation accepted them, whatever was done to the proposal since. */
async function acceptedFeatures(deps: GenerationDeps, revision: RevisionRow): Promise<readonly PlanFeature[]> {
  const { document } = await deps.readPlan({ projectId: revision.project_id, revisionId: revision.id, ...(revision.plan_commit === null ? {} : { commit: revision.plan_commit }) });
  const parsed = parsePlan(document);
  if ('reasons' in parsed) throw refused(parsed.reasons);
  return parsed.plan.features;
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
  const creator = creatorOf(feature);
  return creator === undefined ? feature.targetAppId : materializedAppId(projectId, revisionId, creator);
}
