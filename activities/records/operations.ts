/**
 * The operations row: claim with the next fence, the decision by compare-and-set, the outcome.
 * The row decides where the project is, never an activity's error (I2).
 */
import { AdorableError } from '../../shared/errors.ts';
import type { OperationId, ProjectId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/moment.ts';
import type { Abandoned, CommitPoint, Directions, RecordsActivities } from '../../shared/ports.ts';
import { completeIntent } from './checkpoints.ts';
import { restoreBefore, revisionsNow, takePosition } from './converge-rows.ts';
import type { PlatformDatabase, Session } from './platform-database.ts';
import { lockProject, readOperation, readProject } from './rows.ts';
import type { OperationRow, ProjectRow } from './rows.ts';

export interface OperationDeps {
  readonly database: PlatformDatabase;
  /** HEAD, which names the commit that the project is at. */
  readonly readHead: (projectId: ProjectId) => Promise<CommitPoint>;
}

type Operations = Pick<
  RecordsActivities,
  'claimOperation' | 'raiseOperationFence' | 'decide' | 'decideBack' | 'finalize' | 'closeOperation' | 'readCurrentMoment'
>;

export function createOperations({ database, readHead }: OperationDeps): Operations {
  return {
    async readCurrentMoment({ projectId }) {
      const moment = await currentMoment(await readProject(database, projectId), readHead);
      if (moment === null) throw new AdorableError('PreconditionFailed', `Project ${projectId} was never provisioned.`);
      return moment;
    },

    async claimOperation({ projectId, operationId, kind, runId }) {
      const { project, fence, open } = await database.transaction(async (session) => {
        const [project] = await session.query<ProjectRow>('SELECT * FROM projects WHERE id = $1 FOR UPDATE', [projectId]);
        const [open] = await session.query<OperationRow>('SELECT * FROM operations WHERE project_id = $1 AND outcome IS NULL', [projectId]);
        // An archived project whose own end is still open can be claimed to finish it, and for nothing else.
        if (project === undefined || (project.status === 'archived' && open === undefined)) throw new AdorableError('NotFound', `No project ${projectId}: see \`adorable projects\`.`);
        const [own] = await session.query<OperationRow & { run_id: string }>('SELECT * FROM operations WHERE id = $1', [operationId]);
        if (own !== undefined && own.outcome !== null) throw new AdorableError('PreconditionFailed', `Operation ${operationId} ended already as ${own.outcome}: start another with a new id.`);
        if (own?.run_id === runId) return { project, fence: Number(own.fence), open: undefined };

        const fence = Number(project.fence) + 1;
        await session.query(`UPDATE projects SET fence = $2, status = CASE WHEN status = 'archived' THEN status ELSE 'busy' END WHERE id = $1`, [projectId, fence]);
        if (open !== undefined) await session.query('UPDATE operations SET fence = $2 WHERE id = $1', [open.id, fence]);
        else await session.query('INSERT INTO operations (id, project_id, kind, run_id, fence) VALUES ($1, $2, $3, $4, $5)', [operationId, projectId, kind, runId, fence]);
        return { project, fence, open };
      });
      const current = await currentOrGone(project, readHead, kind === 'delete' || open?.kind === 'delete' || open?.kind === 'provision');
      return {
        projectId, operationId, fence, name: project.name,
        current, abandoned: open === undefined ? null : toAbandoned(open, current),
      };
    },

    // From the caller's fence to the next one: a repeat answers the same, an overtaken attempt is refused.
    async raiseOperationFence({ projectId, operationId, fence }) {
      const [row] = await database.query<{ fence: string }>(
        `WITH raised AS (UPDATE projects SET fence = $3::bigint + 1 WHERE id = $1 AND fence IN ($3::bigint, $3::bigint + 1) RETURNING fence)
         UPDATE operations SET fence = raised.fence FROM raised WHERE operations.id = $2 AND outcome IS NULL RETURNING raised.fence`,
        [projectId, operationId, fence],
      );
      if (row === undefined) throw new AdorableError('StaleFence', `Operation ${operationId} of project ${projectId} was overtaken by a newer one.`);
      return { fence: Number(row.fence) };
    },

    async decide({ decision, directions, snapshot, ...fenced }) {
      return await database.transaction(async (session) => {
        const project = await lockProject(session, fenced);
        const undecided = await readOperation(session, fenced);
        if (undecided.decision !== null) return { decision: undecided.decision };
        if (snapshot !== undefined) await completeIntent(session, project.id, snapshot);
        const operation = directions === undefined ? undecided : { ...undecided, ...(await recordDirections(session, undecided.id, directions)) };
        await session.query('UPDATE operations SET decision = $2, before = $3, phase = $4 WHERE id = $1', [
          operation.id, decision,
          JSON.stringify({ checkpointId: project.current_checkpoint, timelineId: project.timeline_id, redoStack: project.redo_stack, revisions: await revisionsNow(session, project.id) }),
          decision === 'target' ? 'decided' : 'aborted',
        ]);
        if (decision === 'target') await takePosition(session, project, operation);
        return { decision };
      });
    },

    async decideBack(fenced) {
      return await database.transaction(async (session) => {
        const project = await lockProject(session, fenced);
        const operation = await readOperation(session, fenced);
        if (operation.decision === 'back') return { decision: 'back' };
        if (operation.final_at !== null) return { decision: 'target' };
        if (operation.decision !== 'target') throw new AdorableError('InvariantViolated', `Operation ${operation.id} never decided to go forward.`);
        await session.query(`UPDATE operations SET decision = 'back' WHERE id = $1`, [operation.id]);
        await restoreBefore(session, project, operation);
        return { decision: 'back' };
      });
    },

    async finalize({ receipt, ...fenced }) {
      await database.transaction(async (session) => {
        await lockProject(session, fenced);
        await session.query(`UPDATE operations SET final_at = coalesce(final_at, now()), receipt = $2, phase = 'final' WHERE id = $1`, [fenced.operationId, JSON.stringify(receipt)]);
      });
    },

    // No fence: an outcome is written once, by whoever ends the operation.
    async closeOperation({ projectId, operationId, outcome, message, details }) {
      await database.transaction(async (session) => {
        await session.query(
          `UPDATE operations SET outcome = $2, message = $3, details = $4, closed_at = now(), phase = 'closed' WHERE id = $1 AND outcome IS NULL`,
          [operationId, outcome, message, JSON.stringify(details ?? {})],
        );
        await session.query(
          `UPDATE projects SET status = 'idle' WHERE id = $1 AND status = 'busy' AND NOT EXISTS (SELECT FROM operations WHERE project_id = $1 AND outcome IS NULL)`,
          [projectId],
        );
      });
    },
  };
}

async function recordDirections(session: Session, operationId: OperationId, { forward, back }: Directions): Promise<Directions> {
  await session.query('UPDATE operations SET forward = $2, back = $3 WHERE id = $1', [operationId, JSON.stringify(forward), JSON.stringify(back)]);
  await session.query(`UPDATE checkpoints SET commit_sha = $2, tree = $3 WHERE id = $1 AND status = 'intent'`, [forward.checkpointId, forward.commit, forward.tree]);
  return { forward, back };
}

export async function currentMoment(project: ProjectRow, readHead: OperationDeps['readHead']): Promise<Moment | null> {
  const { current_checkpoint: checkpointId, tenant_id: tenantId, timeline_id: timelineId } = project;
  if (checkpointId === null || tenantId === null || timelineId === null) return null;
  const { commit, tree } = await readHead(project.id);
  return { checkpointId, commit, tree, tenantId, timelineId };
}

/** A half-deleted project has no repository to read any more; its end needs none. */
async function currentOrGone(project: ProjectRow, readHead: OperationDeps['readHead'], mayBeGone: boolean): Promise<Moment | null> {
  try {
    return await currentMoment(project, readHead);
  } catch (error) {
    if (mayBeGone && error instanceof AdorableError && error.type === 'NotFound') return null;
    throw error;
  }
}

function toAbandoned(row: OperationRow, current: Moment | null): Abandoned {
  return { operationId: row.id, kind: row.kind, decision: row.decision, final: row.final_at !== null, forward: row.forward, back: row.back, current };
}
