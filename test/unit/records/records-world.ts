/** The records store on a real PostgreSQL, with proposals in memory: what git would keep at their refs. */
import { createRecordsActivities } from '../../../activities/records/index.ts';
import { readArchitectProject } from '../../../activities/records/architect-project.ts';
import { approveRevision, listRevisions, recordProposal } from '../../../activities/records/plan-revisions.ts';
import type { PlanCatalog } from '../../../shared/architect/plan.ts';
import { validatePlan } from '../../../shared/architect/validate-plan.ts';
import { firstTimelineId, operationCheckpointId, tenantIdOf } from '../../../shared/derive.ts';
import type { CommitSha, OperationId, ProjectId, RevisionId, TreeHash } from '../../../shared/ids.ts';
import type { Lsn } from '../../../shared/lsn.ts';
import type { Fenced, Moment } from '../../../shared/moment.ts';
import type { RecordsActivities } from '../../../shared/ports.ts';
import { EMPTY_DECLARED } from '../../../shared/spec/declared.ts';
import { startPlatformDatabase } from '../../support/platform-database.ts';
import type { TestDatabase } from '../../support/platform-database.ts';

const POINT = { commit: 'a'.repeat(40) as CommitSha, tree: 'b'.repeat(40) as TreeHash };

export interface RecordsWorld extends TestDatabase {
  readonly records: RecordsActivities;
  /** What lies at a proposal's ref: a test edits it as a person would. */
  readonly proposals: Map<string, unknown>;
  newProject(): Promise<ProjectId>;
  propose(projectId: ProjectId, document: unknown): Promise<RevisionId>;
  approve(projectId: ProjectId, revisionId?: RevisionId): Promise<RevisionId>;
  claim(projectId: ProjectId, kind: 'generate' | 'restore'): Promise<Fenced & { current: Moment }>;
  /** A generation's rows from claim to close. */
  generate(projectId: ProjectId, revisionId?: RevisionId): Promise<{ operationId: OperationId; back: string }>;
  restore(projectId: ProjectId, target: string): Promise<void>;
  statuses(projectId: ProjectId): Promise<string[]>;
  close(): Promise<void>;
}

export async function createRecordsWorld(catalog: PlanCatalog): Promise<RecordsWorld> {
  const { database, close } = await startPlatformDatabase();
  const proposals = new Map<string, unknown>();
  const commits = new Map<string, unknown>();
  let counter = 0;
  const next = (prefix: string): string => `${prefix}${String((counter += 1)).padStart(12, '0')}`;
  const records = createRecordsActivities({
    database,
    readHead: () => Promise.resolve(POINT),
    readPlan: ({ revisionId, commit }) => {
      if (commit !== undefined) return Promise.resolve({ commit, document: commits.get(commit) });
      const made = String(commits.size).padStart(40, '0') as CommitSha;
      const document = structuredClone(proposals.get(revisionId));
      commits.set(made, document);
      return Promise.resolve({ commit: made, document });
    },
    catalog: () => Promise.resolve(catalog),
    serviceVersion: (id) => (id === 'directus' ? '1.0.0' : undefined),
    isCodeDefinedService: (id) => id !== 'directus',
    uncoveredState: () => undefined,
    codeChange: () => Promise.resolve({ commitsLeft: 0, apps: [] }),
    rowChanges: () => Promise.resolve({ rows: [], prepared: [] }),
    openTransactions: () => Promise.resolve({ prepared: [], sessions: [] }),
    surveyNamespace: () => Promise.resolve([]),
    isHeld: () => Promise.resolve(true),
    objectChanges: () => Promise.resolve({ restarted: [], configured: [], created: [], deleted: [] } as never),
    readSchemaMarks: () => Promise.resolve([]),
    readSecretVersions: () => Promise.resolve({}),
    isReachable: () => Promise.resolve(true),
  });

  const world: RecordsWorld = {
    database, records, proposals, close,
    async newProject() {
      const projectId = `p${String((counter += 1)).padStart(9, '0')}` as ProjectId;
      const checkpointId = operationCheckpointId(`op_${projectId}00` as OperationId, 'target');
      await database.query('INSERT INTO projects (id, name, status, tenant_id, timeline_id, current_checkpoint) VALUES ($1, $1, $2, $3, $4, $5)', [projectId, 'idle', tenantIdOf(projectId), firstTimelineId(projectId), checkpointId]);
      await database.query(
        `INSERT INTO checkpoints (id, project_id, operation_id, kind, status, commit_sha, tree, tenant_id, timeline_id, lsn, declared) VALUES ($1, $2, 'op', 'provisioned', 'complete', $3, $4, $5, $6, '0/1000', $7)`,
        [checkpointId, projectId, POINT.commit, POINT.tree, tenantIdOf(projectId), firstTimelineId(projectId), JSON.stringify(EMPTY_DECLARED)],
      );
      return projectId;
    },
    async propose(projectId, document) {
      const plan = validatePlan(document, await readArchitectProject(database, projectId), catalog);
      const revisionId = next('rev_') as RevisionId;
      proposals.set(revisionId, plan);
      for (let twice = 0; twice < 2; twice++) await recordProposal(database, { projectId, revisionId, plan });
      return revisionId;
    },
    approve: (projectId, revisionId) => approveRevision(database, projectId, revisionId),
    async claim(projectId, kind) {
      const claimed = await records.claimOperation({ projectId, operationId: next('op_') as OperationId, kind, runId: 'run' });
      if (claimed.current === null) throw new Error('never provisioned');
      return { projectId, operationId: claimed.operationId, fence: claimed.fence, current: claimed.current };
    },
    async generate(projectId, revisionId) {
      const { current, ...fenced } = await world.claim(projectId, 'generate');
      const plan = await records.planGeneration({ ...fenced, ...(revisionId === undefined ? {} : { revisionId }) });
      const back: Moment = { ...current, checkpointId: operationCheckpointId(fenced.operationId, 'pre-generation') };
      const forward: Moment = { ...current, checkpointId: operationCheckpointId(fenced.operationId, 'target') };
      const complete = (moment: Moment) => records.completeCheckpoint({ ...fenced, checkpointId: moment.checkpointId, lsn: '0/2000' as Lsn, sealed: false, commit: moment.commit, tree: moment.tree, makeCurrent: false });
      await records.recordCheckpointIntent({ ...fenced, moment: back, kind: 'pre-generation', parentId: current.checkpointId, declaredFrom: 'rows' });
      await complete(back);
      for (const app of plan.creates) await records.ensurePendingApp({ ...fenced, app, revisionId: plan.revisionId });
      await records.resolveCreatesAppSentinels({ ...fenced, revisionId: plan.revisionId });
      await records.bucketPlan({ ...fenced, revisionId: plan.revisionId });
      await records.recordCheckpointIntent({ ...fenced, moment: forward, kind: 'generated', parentId: back.checkpointId, declaredFrom: plan.revisionId });
      await records.decide({ ...fenced, decision: 'target', directions: { forward, back } });
      await complete(forward);
      await records.closeOperation({ ...fenced, outcome: 'generated', message: '' });
      return { operationId: fenced.operationId, back: back.checkpointId };
    },
    async restore(projectId, target) {
      const { current, ...fenced } = await world.claim(projectId, 'restore');
      await records.planRestore({ projectId, target, mode: 'all', record: fenced });
      await records.decide({ ...fenced, decision: 'target', snapshot: { checkpointId: operationCheckpointId(fenced.operationId, 'pre-restore'), lsn: '0/3000' as Lsn, sealed: true, commit: current.commit, tree: current.tree } });
      await records.closeOperation({ ...fenced, outcome: 'restored', message: '' });
    },
    statuses: async (projectId) => (await listRevisions(database, projectId)).map(({ status }) => status),
  };
  return world;
}
