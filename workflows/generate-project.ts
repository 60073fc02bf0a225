/**
 * `generateProject`: the one door. claim → pre-generation checkpoint → reconcile apps → reconcile
 * services → bucket → generateApp ∥ … → one commit (not yet served) → [changes an existing schema?
 * rehearse → freeze → snapshot] → decide (rows) → converge (logins, migrations, served tree) → start
 * in tiers → seed → checkpoint. Nothing that a person can reach changes before `decide`; an app that
 * stays unmaterialized refuses the run (I4, I5). Ends `generated` (healthy or degraded), `unchanged`,
 * or `failed-resumable`: unchanged, with what its finished buckets made kept for `resume`.
 */
import { executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import type { ApplicationFailure } from '@temporalio/workflow';
import type { GenerateRequest, MaterializeAppRequest } from '../shared/contract/generate-project.ts';
import type { OperationOutcome } from '../shared/contract/operation.ts';
import { operationCheckpointId } from '../shared/derive.ts';
import type { Fenced, Moment, RecordedMoment } from '../shared/moment.ts';
import type { Bucket, Directions, GenerationPlan, MaterializedApp } from '../shared/ports.ts';
import { code, data, infra, records } from './activities.ts';
import { claimProject, concluding, currentMoment, unchanged } from './claim.ts';
import type { Ending } from './claim.ts';
import { freezeForMigration } from './freeze.ts';
import { generateBuckets } from './generate-buckets.ts';
import type { FailedBuckets } from './generate-buckets.ts';
import { completeRunning, settleGeneration } from './generation-tail.ts';
import { materializeApp } from './materialize-app.ts';
import { failure } from './failure.ts';
import { Run } from './run.ts';
import { saveWorktree } from './saved-worktree.ts';
import { decide, Saga, turnBack } from './saga.ts';
import { pastDecision } from './settle.ts';

/** A person who looks at the failure and presses resume; a run that waits holds the project. */
const RESUME_WAIT_MS = 300_000;

export async function generateProject(request: GenerateRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'generate');
  const claim = await claimProject(run);
  return await concluding(run, claim, async () => {
    const { projectId, operationId, fence } = claim;
    let fenced: Fenced = { projectId, operationId, fence };
    const saga = new Saga(run);
    const results = new Results();
    let directions: Directions | undefined;

    try {
      await run.cancellable(async () => {
        // Reads only: nothing to take back.
        const plan = await saga.step('plan', () => records.planGeneration({ ...fenced, resumes: request.door === 'resume', ...(request.revisionId === undefined ? {} : { revisionId: request.revisionId }) }));
        const start = await preGeneration(run, fenced, { saga, current: currentMoment(claim) });
        run.phase('reconcile');
        await reconcileApps(saga, fenced, { plan, results });
        await syncProjectServices(saga, fenced, plan);
        // Pure over rows: throws on NULL, $NEW:, archived, foreign or unknown.
        const buckets = await saga.step('bucket', () => records.bucketPlan({ ...fenced, revisionId: plan.revisionId }));
        run.phase('generate');
        const failed = await saga.step('generate apps', () => generateBuckets(run, fenced, { ...plan, buckets, waitMs: request.waitMs ?? RESUME_WAIT_MS }), (unwinding) => results.drop(unwinding));
        if (failed !== undefined) throw results.keep(failed);
        const forward = await compose(saga, fenced, { plan, buckets, back: start });
        const created = plan.creates.map((app) => app.appId);
        directions = { forward, back: await freezeForMigration(run, saga, fenced, { forward, back: start, created }) };
        run.stopIfCancelled();
        run.phase('decide');
        await decide(run, { ...fenced, directions });
      });
    } catch (error) {
      const turned = await turnBack(saga, fenced);
      fenced = turned.fenced;
      if (turned.decision === 'abort' || directions === undefined) return results.resumable(error);
    }

    if (directions === undefined) throw failure('InvariantViolated', 'A generation decided without a commit.');
    const decided: Directions = directions;
    const settled = await pastDecision(() => settleGeneration(run, fenced, decided));
    if (settled.went === 'back') return { ...unchanged(settled.why), health: settled.health, degraded: settled.degraded };
    return {
      outcome: 'generated', health: settled.health, degraded: settled.degraded, receipt: settled.receipt, undo: decided.back.checkpointId,
      message: `Generated ${decided.forward.checkpointId}; ${decided.back.checkpointId} takes it back.`,
    };
  });
}

/** What the buckets made: dropped with the run, unless a failed bucket leaves the others' for another run to take up. */
class Results {
  #kept: FailedBuckets | undefined;

  async drop(unwinding: Fenced): Promise<void> {
    if (this.#kept === undefined) await code.dropRun(unwinding);
  }

  keep(failed: FailedBuckets): ApplicationFailure {
    this.#kept = failed;
    return failure(failed.why.type, failed.why.message);
  }

  /** The ending of a run that turned back. */
  resumable(error: unknown): Ending {
    if (this.#kept === undefined) throw error;
    const { resumable, why } = this.#kept;
    return { ...unchanged(why), outcome: 'failed-resumable', resumable, message: `${why.message}. Nothing changed; \`adorable generate --door resume\` makes only what is missing.` };
  }
}

/** Undo of this generation goes here, so rows written since the last one are kept. */
async function preGeneration(run: Run, fenced: Fenced, { saga, current }: { saga: Saga; current: Moment }): Promise<RecordedMoment> {
  const checkpointId = operationCheckpointId(fenced.operationId, 'pre-generation');
  const { tenantId, timelineId } = current;
  const point = await saveWorktree(run, fenced, { saga, current, reason: 'pre-generation' });
  const moment: Moment = { checkpointId, commit: point.commit, tree: point.tree, tenantId, timelineId };
  const lsn = await saga.step('pre-generation checkpoint', async () => {
    await records.recordCheckpointIntent({ ...fenced, moment, kind: 'pre-generation', parentId: current.checkpointId, declaredFrom: 'rows' });
    return await completeRunning(fenced, moment);
  }, async (unwinding) => {
    await data.unpinMoment({ projectId: fenced.projectId, tenantId, timelineId, checkpointId });
    await records.voidCheckpoint({ ...unwinding, checkpointId });
  });
  return { ...moment, lsn, sealed: false };
}

/** `resolveCreatesAppSentinels` in reconcile mode: every declared app becomes real, or the run is refused. */
async function reconcileApps(saga: Saga, fenced: Fenced, { plan, results }: { plan: GenerationPlan; results: Results }): Promise<void> {
  for (const app of plan.creates) {
    await saga.step(`materialize ${app.slug}`, () => materialize(fenced, plan, app), async (unwinding) => {
      await results.drop(unwinding);
      await data.dropAppSchema({ ...unwinding, appId: app.appId });
      await records.dropPendingApp({ ...unwinding, appId: app.appId });
    });
  }
  // Rewrites sentinel rows only; voided with the revision's retry, which resolves to the same ids.
  await saga.step('resolve sentinels', () => records.resolveCreatesAppSentinels({ ...fenced, revisionId: plan.revisionId }));
}

async function materialize(fenced: Fenced, plan: GenerationPlan, app: MaterializedApp): Promise<void> {
  const request: MaterializeAppRequest = { fenced, app, revisionId: plan.revisionId };
  await executeChild(materializeApp, {
    workflowId: `${workflowInfo().workflowId}/${fenced.operationId}/materialize/${app.slug}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL, args: [request],
  });
}

async function syncProjectServices(saga: Saga, fenced: Fenced, plan: GenerationPlan): Promise<void> {
  for (const serviceId of plan.addsServices) {
    await saga.step(`service ${serviceId}`, () => data.ensureServiceSchema({ ...fenced, serviceId }), (unwinding) => data.dropServiceSchema({ ...unwinding, serviceId }));
  }
}

/** One commit of all results, at a recorded intent; nothing serves it yet. */
async function compose(saga: Saga, fenced: Fenced, input: { plan: GenerationPlan; buckets: readonly Bucket[]; back: RecordedMoment }): Promise<Moment> {
  const { plan, buckets, back } = input;
  const { revisionId } = plan;
  const { tenantId, timelineId } = back;
  const point = await saga.step('commit', () => code.composeCommit({ ...fenced, buckets, revisionId }));
  const checkpointId = operationCheckpointId(fenced.operationId, 'target');
  const moment: Moment = { checkpointId, commit: point.commit, tree: point.tree, tenantId, timelineId };
  await saga.step('checkpoint intent', async () => {
    await records.recordCheckpointIntent({ ...fenced, moment, kind: 'generated', parentId: back.checkpointId, declaredFrom: revisionId });
    await infra.ensureSecrets({ ...fenced, moment });
  }, (unwinding) => records.voidCheckpoint({ ...unwinding, checkpointId }));
  return moment;
}
