/**
 * `bucketPlanByAppId`: subtasks to one bucket per app. Pure and total: there is no default
 * argument that could pick an app (I4). NULL, a `$NEW:` literal, an archived, foreign or unknown
 * app is a contract violation to refuse, never work for the primary.
 */
import { AdorableError } from '../errors.ts';
import type { AppId, ProjectId } from '../ids.ts';

export interface PlannedSubtask {
  readonly id: string;
  readonly featureId: string;
  readonly appId: string | null;
  /** Where it stands in the order of the plan. */
  readonly position: number;
}

export interface KnownApp {
  readonly id: AppId;
  readonly projectId: ProjectId;
  readonly slug: string;
  readonly archived: boolean;
}

export interface PlanBucket {
  readonly appId: AppId;
  readonly slug: string;
  /** In the order in which they are built. */
  readonly featureIds: readonly string[];
}

export function bucketPlanByAppId(
  projectId: ProjectId,
  subtasks: readonly PlannedSubtask[],
  apps: readonly KnownApp[],
): readonly PlanBucket[] {
  const known = new Map<string, KnownApp>(apps.map((app) => [app.id, app]));
  const buckets = new Map<AppId, { slug: string; features: Set<string> }>();
  const inOrder = [...subtasks].sort((a, b) => a.position - b.position || (a.featureId < b.featureId ? -1 : a.featureId > b.featureId ? 1 : 0));
  for (const subtask of inOrder) {
    const app = targetOf(projectId, subtask, known);
    const bucket = buckets.get(app.id) ?? { slug: app.slug, features: new Set<string>() };
    bucket.features.add(subtask.featureId);
    buckets.set(app.id, bucket);
  }
  return [...buckets]
    .map(([appId, bucket]) => ({ appId, slug: bucket.slug, featureIds: [...bucket.features] }))
    .sort((a, b) => (a.slug < b.slug ? -1 : 1));
}

function targetOf(projectId: ProjectId, subtask: PlannedSubtask, known: ReadonlyMap<string, KnownApp>): KnownApp {
  const refuse = (why: string): never => {
    throw new AdorableError('UnresolvedTarget', `Subtask ${subtask.id} ${why}: nothing was generated; propose the plan again.`, {
      details: { subtask: subtask.id, feature: subtask.featureId },
    });
  };
  if (subtask.appId === null) return refuse('names no app');
  if (subtask.appId.startsWith('$NEW:')) return refuse(`still targets ${subtask.appId}, an app that was not materialized`);
  const app = known.get(subtask.appId);
  if (app === undefined) return refuse('targets an app that does not exist');
  if (app.projectId !== projectId) return refuse('targets an app that does not exist');
  if (app.archived) return refuse(`targets ${app.slug}, which is archived`);
  return app;
}
