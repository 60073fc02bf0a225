/**
 * The restore's plan: resolves the target in the tree of moments and refuses here or never. The
 * same code serves `--dry-run` and the restore itself; only the latter records intents.
 */
import { AdorableError } from '../../shared/errors.ts';
import { forkTimelineId, operationCheckpointId, shortDigest } from '../../shared/derive.ts';
import { parseCheckpointId } from '../../shared/ids.ts';
import type { CheckpointId, ProjectId } from '../../shared/ids.ts';
import type { Fenced, Moment, RecordedMoment, RestoreMode } from '../../shared/moment.ts';
import type { CommitPoint, RecordsActivities } from '../../shared/ports.ts';
import type { CodeChange, RestorePlan, RowChange } from '../../shared/restore/plan.ts';
import { justOlder, momentBefore, previousMoment, redoMoment, resolveAlias } from '../../shared/restore/undo.ts';
import type { MomentTree } from '../../shared/restore/undo.ts';
import { parseSlug } from '../../shared/slug.ts';
import { currentMoment } from './operations.ts';
import type { PlatformDatabase } from './platform-database.ts';
import { declaredByRows, lockProject, readCheckpoint, readProject, toRecordedMoment } from './rows.ts';
import type { CheckpointRow, ProjectRow } from './rows.ts';

export interface RestorePlanDeps {
  readonly database: PlatformDatabase;
  readonly readHead: (projectId: ProjectId) => Promise<CommitPoint>;
  /** Only catalog services may be deprovisioned; their state tells what a restore covers. */
  readonly isCodeDefinedService: (serviceId: string) => boolean;
  readonly uncoveredState: (serviceId: string) => string | undefined;
  /** What the previews count; a restore under the lock leaves these out. */
  readonly codeChange: (projectId: ProjectId, from: CommitPoint, to: CommitPoint) => Promise<CodeChange>;
  readonly rowChanges: (projectId: ProjectId, target: RecordedMoment) => Promise<readonly RowChange[]>;
}

export function createRestorePlan(deps: RestorePlanDeps): Pick<RecordsActivities, 'planRestore'> {
  const { database } = deps;
  return {
    async planRestore({ projectId, target, mode, expect, record }) {
      const project = await readProject(database, projectId);
      const here = await currentMoment(project, deps.readHead);
      if (here === null) throw new AdorableError('PreconditionFailed', `Project ${projectId} was never provisioned: there is no moment to go to.`);
      const tree = await readTree(database, project, here.checkpointId);
      const targetRow = await readCheckpoint(database, projectId, resolveTarget(tree, target));
      const moment = toRecordedMoment(targetRow);
      refuseCurrent(tree, moment.checkpointId, mode);

      const seenFence = record === undefined ? Number(project.fence) : Number(project.fence) - 1;
      const digest = shortDigest(JSON.stringify([moment.checkpointId, mode, here.commit, here.timelineId, seenFence]));
      if (expect !== undefined && expect !== digest) {
        throw new AdorableError('ExpectationFailed', `Something moved since plan ${expect} was made (it is ${digest} now): nothing was changed; look at a new plan.`);
      }
      const plan = await diff(deps, { project, here, targetRow, moment, mode, digest, redo: target === 'redo' });
      if (record !== undefined) {
        await recordIntents(database, { fenced: record, project, here, targetRow, plan });
        return plan;
      }
      const [code, rows] = await Promise.all([
        mode === 'data' ? undefined : deps.codeChange(projectId, here, moment),
        mode === 'code' ? undefined : deps.rowChanges(projectId, moment),
      ]);
      return { ...plan, ...(code === undefined ? {} : { code }), ...(rows === undefined ? {} : { rows }) };
    },
  };
}

function resolveTarget(tree: MomentTree, target: string): CheckpointId {
  if (target === 'undo' || target === 'previous') return previousMoment(tree);
  if (target === 'redo') return redoMoment(tree);
  if (target.startsWith('before:')) return momentBefore(tree, parseSlug(target.slice('before:'.length)));
  return parseCheckpointId(target);
}

function refuseCurrent(tree: MomentTree, target: CheckpointId, mode: RestoreMode): void {
  if (mode === 'data' || !tree.nodes.has(target)) return;
  if (resolveAlias(tree, target).id !== resolveAlias(tree, tree.current).id) return;
  const older = justOlder(tree);
  throw new AdorableError('CurrentMoment', `${target} is the current moment: ${older === null ? 'nothing older is recorded' : `the one just older is ${older}`}.`, { details: { current: target, justOlder: older } });
}

export async function readTree(database: PlatformDatabase, project: ProjectRow, current: CheckpointId): Promise<MomentTree> {
  const rows = await database.query<CheckpointRow>(`SELECT * FROM checkpoints WHERE project_id = $1 AND (status = 'complete' OR id = $2) ORDER BY ordinal`, [project.id, current]);
  return {
    nodes: new Map(rows.map((row) => [row.id, {
      id: row.id, kind: row.kind, parentId: row.parent_id, aliasOf: row.alias_of,
      slugs: row.declared.apps.map((app) => app.slug), ordinal: Number(row.ordinal),
    }])),
    current,
    redoStack: project.redo_stack,
  };
}

interface DiffInput {
  readonly project: ProjectRow;
  readonly here: Moment;
  readonly targetRow: CheckpointRow;
  readonly moment: RecordedMoment;
  readonly mode: RestoreMode;
  readonly digest: string;
  readonly redo: boolean;
}

async function diff(deps: RestorePlanDeps, input: DiffInput): Promise<RestorePlan> {
  const { project, here, targetRow, moment, mode, digest, redo } = input;
  const now = await declaredByRows(deps.database, project);
  const then = mode === 'data' ? now : targetRow.declared;
  const ids = (apps: typeof now.apps): Set<string> => new Set(apps.map((app) => app.id));
  const [nowIds, thenIds] = [ids(now.apps), ids(then.apps)];
  const gone = now.services.filter((id) => !then.services.includes(id) && !deps.isCodeDefinedService(id));
  const [{ later }] = await deps.database.query<{ later: string }>(
    `SELECT count(*) AS later FROM plan_revisions WHERE project_id = $1 AND status <> 'archived' AND number > coalesce((SELECT number FROM plan_revisions WHERE id = $2), 0)`,
    [project.id, then.revisionId],
  ) as [{ later: string }];
  return {
    mode, current: here, target: moment, targetKind: targetRow.kind, redo,
    archiveApps: now.apps.filter((app) => !thenIds.has(app.id)).map(({ id, slug }) => ({ id, slug })),
    reactivateApps: then.apps.filter((app) => !nowIds.has(app.id)).map(({ id, slug }) => ({ id, slug })),
    archiveRevisions: Number(later),
    reactivateRevision: then.revisionId === project.revision_id ? null : then.revisionId,
    deprovisionServices: gone,
    reprovisionServices: then.services.filter((id) => !now.services.includes(id) && !deps.isCodeDefinedService(id)),
    notCovered: [...new Set([...now.services, ...then.services])].flatMap((id) => deps.uncoveredState(id) ?? []),
    digest,
  };
}

interface Intents {
  readonly fenced: Fenced;
  readonly project: ProjectRow;
  readonly here: Moment;
  readonly targetRow: CheckpointRow;
  readonly plan: RestorePlan;
}

/** The snapshot's intent, the node that will alias the target, and both directions, in one transaction. */
async function recordIntents(database: PlatformDatabase, { fenced, here, targetRow, plan }: Intents): Promise<void> {
  const { operationId, projectId } = fenced;
  const snapshotId = operationCheckpointId(operationId, 'pre-restore');
  const nodeId = operationCheckpointId(operationId, 'target');
  const { mode } = plan;
  const timelineId = mode === 'code' ? here.timelineId : forkTimelineId(operationId);
  const forward: Moment = {
    checkpointId: nodeId, tenantId: here.tenantId, timelineId,
    commit: mode === 'data' ? here.commit : plan.target.commit, tree: mode === 'data' ? here.tree : plan.target.tree,
  };
  await database.transaction(async (session) => {
    const project = await lockProject(session, fenced);
    const now = JSON.stringify(await declaredByRows(session, project));
    const insert = `INSERT INTO checkpoints (id, project_id, operation_id, kind, label, parent_id, alias_of, commit_sha, tree, tenant_id, timeline_id, lsn, sealed, declared)
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id) DO NOTHING`;
    await session.query(insert, [snapshotId, projectId, operationId, 'pre-restore', null, here.checkpointId, null, here.commit, here.tree, here.tenantId, here.timelineId, null, false, now]);
    const alias = mode === 'all';
    await session.query(insert, [
      nodeId, projectId, operationId, alias ? targetRow.kind : 'manual', alias ? null : `${mode} of ${targetRow.id}`, snapshotId, alias ? targetRow.id : null,
      forward.commit, forward.tree, here.tenantId,
      // Where its data can be forked from: the target's own place, or, when data stays, the snapshot's.
      mode === 'code' ? here.timelineId : plan.target.timelineId, mode === 'code' ? null : plan.target.lsn, mode === 'code' ? false : plan.target.sealed,
      mode === 'data' ? now : JSON.stringify(targetRow.declared),
    ]);
    await session.query('UPDATE operations SET plan = $2, forward = $3, back = $4 WHERE id = $1', [
      operationId, JSON.stringify({ ...plan, snapshotId }), JSON.stringify(forward), JSON.stringify(here),
    ]);
  });
}
