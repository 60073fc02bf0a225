/**
 * The typed client: what a chat backend, the CLI and the tests call. Every operation goes through
 * Temporal under the project's lock; reads go to the store that owns the fact.
 */
import { randomBytes } from 'node:crypto';
import { architect } from '../shared/architect/architect.ts';
import type { ArchitectProject, PlanCatalog } from '../shared/architect/plan.ts';
import { validatePlan } from '../shared/architect/validate-plan.ts';
import type { ValidPlan } from '../shared/architect/validate-plan.ts';
import type { GenerateRequest, GenerationDoor } from '../shared/contract/generate-project.ts';
import { GENERATE_PROJECT } from '../shared/contract/generate-project.ts';
import { DELETE_PROJECT, PROVISION_PROJECT, RECORD_BOOKMARK, RECOVER_PROJECT, VERIFY_PROJECT } from '../shared/contract/life.ts';
import type { OperationOutcome, Progress } from '../shared/contract/operation.ts';
import { PLAN_RESTORE, RESTORE_PROJECT } from '../shared/contract/restore-project.ts';
import type { RestoreRequest } from '../shared/contract/restore-project.ts';
import { SWEEP } from '../shared/contract/sweep.ts';
import type { SweepReport } from '../shared/contract/sweep.ts';
import type { CheckpointId, OperationId, ProjectId, RevisionId } from '../shared/ids.ts';
import type { RestoreMode } from '../shared/moment.ts';
import type { CheckpointProof, Receipt, RestorePlan } from '../shared/restore/plan.ts';
import { readArchitectProject } from '../activities/records/architect-project.ts';
import { approveRevision, listRevisions, recordProposal } from '../activities/records/plan-revisions.ts';
import type { RevisionSummary } from '../activities/records/plan-revisions.ts';
import type { PlatformDatabase } from '../activities/records/platform-database.ts';
import { isEnding, readProject } from '../activities/records/rows.ts';
import { AdorableError } from '../shared/errors.ts';
import type { RunHandle, TemporalGate } from './temporal.ts';

export interface RuntimeDeps {
  readonly database: PlatformDatabase;
  readonly temporal: TemporalGate;
  /** What a plan may ask for. */
  readonly catalog: () => Promise<PlanCatalog>;
  /** What reads sentences in the blueprints' place; left out, the blueprints do. */
  readonly architect?: (message: string, against: { project: ArchitectProject; catalog: PlanCatalog }) => Promise<unknown>;
  readonly writePlanSpec: (input: { projectId: ProjectId; revisionId: RevisionId; plan: ValidPlan }) => Promise<void>;
  readonly readPlanSpec: (input: { projectId: ProjectId; revisionId: RevisionId }) => Promise<unknown>;
}

export interface Started<T> extends RunHandle<T> {
  readonly projectId: ProjectId;
  readonly operationId: OperationId;
}

export type PlanRevision = RevisionSummary;

export interface Proposal {
  readonly revisionId: RevisionId;
  readonly plan: ValidPlan;
}

/** `revisionId`: left out, the newest approved one. `waitMs`: how long a failed bucket waits for `resume`. */
export type GenerationOptions = Pick<GenerateRequest, 'revisionId' | 'waitMs'>;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

function randomName(length: number): string {
  return [...randomBytes(length)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

export const newOperationId = (): OperationId => `op_${randomName(12)}` as OperationId;

export function createRuntime(deps: RuntimeDeps) {
  const { database, temporal } = deps;

  const start = async <T = OperationOutcome>(workflow: string, projectId: ProjectId, extra: object = {}): Promise<Started<T>> => {
    // Unknown projects are refused before a workflow exists, so that a typing error leaves no trace.
    const isKnown = workflow === PROVISION_PROJECT || (workflow === RECOVER_PROJECT && await isEnding(database, projectId));
    if (!isKnown) await readProject(database, projectId);
    const operationId = newOperationId();
    return { projectId, operationId, ...(await temporal.startOperation<T>(workflow, { projectId, operationId, ...extra })) };
  };

  return {
    async createProject(name: string) {
      const projectId = `${ALPHABET[(randomBytes(1)[0] ?? 0) % 26] ?? 'p'}${randomName(9)}` as ProjectId;
      return await start(PROVISION_PROJECT, projectId, { name });
    },

    /** A sentence becomes a proposed plan revision; nothing runs before it is approved. */
    async chat(projectId: ProjectId, message: string): Promise<Proposal> {
      const [project, catalog] = [await readArchitectProject(database, projectId), await deps.catalog()];
      return await this.propose(projectId, await (deps.architect?.(message, { project, catalog }) ?? architect(message, project, catalog.blueprints)));
    },

    /** Where every plan enters, whoever wrote it: held against the project whole, then recorded. */
    async propose(projectId: ProjectId, document: unknown): Promise<Proposal> {
      const plan = validatePlan(document, await readArchitectProject(database, projectId), await deps.catalog());
      const revisionId = `rev_${randomName(12)}` as RevisionId;
      await deps.writePlanSpec({ projectId, revisionId, plan });
      await recordProposal(database, { projectId, revisionId, plan });
      return { revisionId, plan };
    },

    async listPlans(projectId: ProjectId): Promise<readonly PlanRevision[]> {
      await readProject(database, projectId);
      return await listRevisions(database, projectId);
    },

    /** One revision with the document that was proposed, as it stands at its ref. */
    async readPlan(projectId: ProjectId, revisionId: RevisionId): Promise<PlanRevision & { readonly plan: unknown }> {
      const found = (await this.listPlans(projectId)).find(({ id }) => id === revisionId);
      if (found === undefined) throw new AdorableError('NotFound', `Project ${projectId} has no plan revision ${revisionId}: see \`adorable plan show ${projectId}\`.`);
      return { ...found, plan: await deps.readPlanSpec({ projectId, revisionId }) };
    },

    async approvePlan(projectId: ProjectId, revisionId?: RevisionId, options: GenerationOptions = {}) {
      const approved = await approveRevision(database, projectId, revisionId);
      return await this.startGeneration(projectId, 'approve_plan', { ...options, revisionId: approved });
    },

    /** The one door: every way to generate starts here. */
    async startGeneration(projectId: ProjectId, door: GenerationDoor, options: GenerationOptions = {}) {
      return await start(GENERATE_PROJECT, projectId, { door, ...options } satisfies Omit<GenerateRequest, 'projectId' | 'operationId'>);
    },

    async restore(projectId: ProjectId, target: string, options: { mode?: RestoreMode; expect?: string; acceptDrift?: boolean } = {}) {
      const { mode = 'all', expect, acceptDrift } = options;
      const request: Pick<RestoreRequest, 'target' | 'mode' | 'expect' | 'acceptDrift'> = { target, mode, ...(expect === undefined ? {} : { expect }), ...(acceptDrift === true ? { acceptDrift } : {}) };
      return await start(RESTORE_PROJECT, projectId, request);
    },

    async planRestore(projectId: ProjectId, target: string, mode: RestoreMode = 'all', acceptDrift = false): Promise<RestorePlan> {
      await readProject(database, projectId);
      return await temporal.execute<RestorePlan>(PLAN_RESTORE, `plan/${projectId}/${randomName(8)}`, { projectId, target, mode, ...(acceptDrift ? { acceptDrift } : {}) });
    },

    bookmark: (projectId: ProjectId, label: string) => start(RECORD_BOOKMARK, projectId, { label }),
    recover: (projectId: ProjectId) => start(RECOVER_PROJECT, projectId),
    /** One that is archived already, but whose end was left open, is only finished: nothing else may be opened on it. */
    deleteProject: async (projectId: ProjectId) => await start(await isEnding(database, projectId) ? RECOVER_PROJECT : DELETE_PROJECT, projectId),

    async verify(projectId: ProjectId): Promise<Receipt> {
      await readProject(database, projectId);
      return await temporal.execute<Receipt>(VERIFY_PROJECT, `verify/${projectId}/${randomName(8)}`, { projectId });
    },

    /** Whether a past moment can still be restored, proven on a throw-away fork. */
    async verifyCheckpoint(projectId: ProjectId, checkpointId: CheckpointId): Promise<CheckpointProof> {
      await readProject(database, projectId);
      return await temporal.execute<CheckpointProof>(VERIFY_PROJECT, `verify/${projectId}/${randomName(8)}`, { projectId, checkpointId });
    },

    /** Reaps what nothing refers to, in one project or in all; a dry run only says what. */
    async sweep(options: { projectId?: ProjectId; dryRun?: boolean } = {}): Promise<SweepReport> {
      if (options.projectId !== undefined) await readProject(database, options.projectId);
      return await temporal.execute<SweepReport>(SWEEP, `sweep/${randomName(8)}`, options);
    },

    /** The running operation, with what it is stuck in; undefined when nothing runs. */
    async progress(projectId: ProjectId, options: { stuckAfterMs?: number } = {}): Promise<Progress | undefined> {
      await readProject(database, projectId);
      const [progress, stuck] = await Promise.all([temporal.progress(projectId), temporal.stuck(projectId, options.stuckAfterMs)]);
      return progress === undefined || stuck === undefined ? progress : { ...progress, stuck };
    },

    async cancel(projectId: ProjectId, reason: string, operationId?: OperationId) {
      await readProject(database, projectId);
      return await temporal.cancel(projectId, { reason, ...(operationId === undefined ? {} : { operationId }) });
    },

    /** What waits for a person never blocks undo or delete: it is taken back first. False when nothing waits. */
    async cancelWaiting(projectId: ProjectId, reason: string): Promise<boolean> {
      await readProject(database, projectId);
      const progress = await temporal.progress(projectId);
      if (progress?.waitingFor === undefined) return false;
      await temporal.cancel(projectId, { reason, operationId: progress.operationId });
      await temporal.ended(projectId);
      return true;
    },

    async resume(projectId: ProjectId, operationId?: OperationId) {
      await readProject(database, projectId);
      return await temporal.resume(projectId, operationId === undefined ? {} : { operationId });
    },
  };
}

export type Runtime = ReturnType<typeof createRuntime>;
