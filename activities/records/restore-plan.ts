/**
 * The restore's plan: resolves the target in the tree of moments and refuses here or never. The
 * same code serves `--dry-run` and the restore itself; only the latter records intents.
 */
import { AdorableError } from '../../shared/errors.ts';
import { forkTimelineId, operationCheckpointId, shortDigest } from '../../shared/derive.ts';
import type { CheckpointId, ProjectId, TimelineId } from '../../shared/ids.ts';
import type { Fenced, Moment, RecordedMoment, RestoreMode } from '../../shared/moment.ts';
import type { CommitPoint, RecordsActivities } from '../../shared/ports.ts';
import type { OpenTransactions, PreparedTransaction } from '../../shared/restore/open-transactions.ts';
import type { CodeChange, ObjectChanges, RestorePlan, RowChange } from '../../shared/restore/plan.ts';
import { revivedCredentials } from '../../shared/restore/revived-credentials.ts';
import { migrationsSince, refuseParting, refuseUnknown } from '../../shared/restore/schema-changes.ts';
import { refuseCurrent, resolveTarget } from '../../shared/restore/undo.ts';
import type { MomentTree } from '../../shared/restore/undo.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import { currentEvidence, readEvidence, recordEvidence } from './checkpoint-evidence.ts';
import type { Evidence, EvidenceDeps } from './checkpoint-evidence.ts';
import { foresee, isAway } from './foresee-data.ts';
import { currentMoment } from './operations.ts';
import type { PlatformDatabase } from './platform-database.ts';
import { declaredByRows, lockProject, readCheckpoint, readProject, toRecordedMoment } from './rows.ts';
import type { CheckpointRow, ProjectRow } from './rows.ts';

export interface RestorePlanDeps extends EvidenceDeps {
  readonly readHead: (projectId: ProjectId) => Promise<CommitPoint>;
  /** Only catalog services may be deprovisioned; their state tells what a restore covers. */
  readonly isCodeDefinedService: (serviceId: string) => boolean;
  readonly uncoveredState: (serviceId: string) => string | undefined;
  /** What the previews count; a restore under the lock leaves these out. */
  readonly codeChange: (projectId: ProjectId, from: CommitPoint, to: CommitPoint) => Promise<CodeChange>;
  readonly rowChanges: (projectId: ProjectId, target: RecordedMoment, names: ReadonlyMap<string, string>) => Promise<{ readonly rows: readonly RowChange[]; readonly prepared: readonly PreparedTransaction[] }>;
  readonly openTransactions: (projectId: ProjectId) => Promise<OpenTransactions>;
  readonly objectChanges: (projectId: ProjectId, moments: { now: DeclaredMoment; then: DeclaredMoment }) => Promise<ObjectChanges>;
  /** What others did in the namespace, in words; refused when it is in the way of one of the moments. */
  readonly surveyNamespace: (projectId: ProjectId, moments: readonly DeclaredMoment[]) => Promise<readonly string[]>;
  /** Asked of the timeline server: whether the moment's data can still be forked. */
  readonly isReachable: (moment: RecordedMoment) => Promise<boolean>;
  /** Asked of git: whether the moment's commit is there, with its tree whole. */
  readonly isHeld: (projectId: ProjectId, moment: RecordedMoment) => Promise<boolean>;
}

export interface DeclaredMoment {
  readonly moment: Moment;
  readonly declared: Declared;
}

export function createRestorePlan(deps: RestorePlanDeps): Pick<RecordsActivities, 'planRestore'> {
  const { database } = deps;
  return {
    async planRestore({ projectId, target, mode, expect, acceptDrift = false, record }) {
      const project = await readProject(database, projectId);
      const here = await currentMoment(project, deps.readHead);
      if (here === null) throw new AdorableError('PreconditionFailed', `Project ${projectId} was never provisioned: there is no moment to go to.`);
      const tree = await readTree(database, project, here.checkpointId);
      const targetRow = await readCheckpoint(database, projectId, resolveTarget(tree, target));
      const moment = toRecordedMoment(targetRow);
      refuseCurrent(tree, moment.checkpointId, mode);
      if (mode !== 'code' && !(await deps.isReachable(moment))) {
        throw new AdorableError('Unreachable', `The data of ${moment.checkpointId} is not kept any more: choose another moment from \`adorable timeline ${projectId}\`.`);
      }
      if (mode !== 'data' && !(await deps.isHeld(projectId, moment))) {
        throw new AdorableError('Unreachable', `The code of ${moment.checkpointId} is not whole in git any more: choose another moment from \`adorable timeline ${projectId}\`.`);
      }

      const seenFence = record === undefined ? Number(project.fence) : Number(project.fence) - 1;
      const digest = shortDigest(JSON.stringify([moment.checkpointId, mode, here.commit, here.timelineId, seenFence]));
      if (expect !== undefined && expect !== digest) {
        throw new AdorableError('ExpectationFailed', `Something moved since plan ${expect} was made (it is ${digest} now): nothing was changed; look at a new plan.`);
      }
      const { away, ...now } = await evidenceNow(deps, projectId, here, mode);
      const evidence = { now, then: await readEvidence(database, targetRow.id) };
      if (mode !== 'all' && !acceptDrift) refuseUnknown(evidence.then.schemaMarks, moment.checkpointId, mode);
      const declared = await declaredByRows(database, project);
      const names = new Map([...targetRow.declared.apps, ...declared.apps].map((app) => [app.id as string, app.slug as string]));
      const there: Moment = { ...here, ...(mode === 'data' ? {} : { commit: moment.commit, tree: moment.tree }), ...(mode === 'code' ? {} : { timelineId: moment.timelineId }) };
      const moments = { now: { moment: here, declared }, then: { moment: there, declared: mode === 'data' ? declared : targetRow.declared } };
      const met = await deps.surveyNamespace(projectId, [moments.now, moments.then]);
      const plan = await diff(deps, { met, project, here, targetRow, moment, mode, digest, redo: target === 'redo', declared, names, evidence });
      if (mode !== 'all' && !acceptDrift) refuseParting(plan.schemaChanges, moment.checkpointId, mode);
      if (record !== undefined) {
        await recordIntents(database, { fenced: record, here, targetRow, plan, evidence });
        return plan;
      }
      const [code, data, objects] = await Promise.all([
        mode === 'data' ? undefined : deps.codeChange(projectId, here, moment),
        foresee(deps, { projectId, target: mode === 'code' ? null : moment, names, away }),
        // The fork's id is not known before the run: any other id than the current one marks what restarts.
        deps.objectChanges(projectId, { ...moments, then: { ...moments.then, moment: mode === 'code' ? there : { ...there, timelineId: PLANNED_FORK } } }),
      ]);
      return { ...plan, ...(code === undefined ? {} : { code }), ...(data.rows === undefined ? {} : { rows: data.rows }), objects, noticed: [...met, ...data.noticed] };
    },
  };
}

const PLANNED_FORK = '0'.repeat(32) as TimelineId;

interface Evidences {
  readonly now: Evidence;
  readonly then: Evidence;
}

/** A whole restore must be possible while the database is down or deleted: then the last record of its schema has to do. */
async function evidenceNow(deps: RestorePlanDeps, projectId: ProjectId, here: Moment, mode: RestoreMode): Promise<Evidence & { readonly away: string | undefined }> {
  try {
    return { ...(await currentEvidence(deps, projectId)), away: undefined };
  } catch (error) {
    if (mode !== 'all' || !isAway(error)) throw error;
    const [{ schemaMarks }, secretVersions] = await Promise.all([readEvidence(deps.database, here.checkpointId), deps.readSecretVersions(projectId)]);
    return { schemaMarks, secretVersions, away: error.message };
  }
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
  readonly met: readonly string[];
  readonly project: ProjectRow;
  readonly here: Moment;
  readonly targetRow: CheckpointRow;
  readonly moment: RecordedMoment;
  readonly mode: RestoreMode;
  readonly digest: string;
  readonly redo: boolean;
  readonly declared: Declared;
  /** Slugs by app id, of both moments. */
  readonly names: ReadonlyMap<string, string>;
  readonly evidence: Evidences;
}

async function diff(deps: RestorePlanDeps, input: DiffInput): Promise<RestorePlan> {
  const { met, project, here, targetRow, moment, mode, digest, redo, declared: now, names, evidence } = input;
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
    schemaChanges: migrationsSince(evidence.now.schemaMarks ?? [], evidence.then.schemaMarks ?? evidence.now.schemaMarks ?? [], names),
    revives: mode === 'code' ? [] : revivedCredentials(evidence.now.secretVersions ?? {}, evidence.then.secretVersions ?? {}, names),
    notCovered: [...new Set([...now.services, ...then.services])].flatMap((id) => deps.uncoveredState(id) ?? []),
    noticed: met,
    digest,
  };
}

interface Intents {
  readonly fenced: Fenced;
  readonly here: Moment;
  readonly targetRow: CheckpointRow;
  readonly plan: RestorePlan;
  readonly evidence: Evidences;
}

/** The snapshot's intent, the node that will alias the target, and both directions, in one transaction. */
async function recordIntents(database: PlatformDatabase, { fenced, here, targetRow, plan, evidence }: Intents): Promise<void> {
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
    // Migrations need the lock that this operation holds, and the snapshot is sealed when nothing can be asked of it any more.
    await recordEvidence(session, snapshotId, evidence.now);
    await recordEvidence(session, nodeId, mode === 'code' ? evidence.now : evidence.then);
    await session.query('UPDATE operations SET plan = $2, forward = $3, back = $4 WHERE id = $1', [
      operationId, JSON.stringify({ ...plan, snapshotId }), JSON.stringify(forward), JSON.stringify(here),
    ]);
  });
}
