/**
 * `generateProject`: the one door. claim → pre-generation checkpoint → reconcile apps → reconcile
 * services → bucket → generateApp ∥ … → one commit (not yet served) → decide (rows) → converge
 * (logins, migrations, served tree) → start in tiers → seed → checkpoint. Nothing that a person
 * can reach changes before `decide`; an app that stays unmaterialized refuses the run (I4, I5).
 * Ends `generated` (healthy or degraded) or `unchanged`.
 */
import { CancellationScope, executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import type { GenerateAppRequest, GenerateRequest, MaterializeAppRequest } from '../shared/contract/generate-project.ts';
import type { OperationOutcome } from '../shared/contract/operation.ts';
import { operationCheckpointId } from '../shared/derive.ts';
import type { Fenced, Moment } from '../shared/moment.ts';
import type { Bucket, GenerationPlan, MaterializedApp } from '../shared/ports.ts';
import { code, data, infra, records } from './activities.ts';
import { claimProject, concluding, currentMoment, unchanged } from './claim.ts';
import { generateApp } from './generate-app.ts';
import { completeRunning, settleGeneration } from './generation-tail.ts';
import { materializeApp } from './materialize-app.ts';
import { failure } from './failure.ts';
import { Run } from './run.ts';
import { saveWorktree } from './saved-worktree.ts';
import { Saga, turnBack } from './saga.ts';
import { pastDecision } from './settle.ts';

export async function generateProject(request: GenerateRequest): Promise<OperationOutcome> {
  const run = new Run(request, 'generate');
  const claim = await claimProject(run);
  return await concluding(run, claim, async () => {
    const { projectId, operationId, fence } = claim;
    let fenced: Fenced = { projectId, operationId, fence };
    const saga = new Saga(run);
    let back = currentMoment(claim);
    let forward: Moment | undefined;

    try {
      await run.cancellable(async () => {
        // Reads only: nothing to take back.
        const plan = await saga.step('plan', () => records.planGeneration({ ...fenced, ...(request.revisionId === undefined ? {} : { revisionId: request.revisionId }) }));
        back = await preGeneration(run, fenced, { saga, current: back });
        run.phase('reconcile');
        await reconcileApps(saga, fenced, plan);
        await syncProjectServices(saga, fenced, plan);
        // Pure over rows: throws on NULL, $NEW:, archived, foreign or unknown.
        const buckets = await saga.step('bucket', () => records.bucketPlan({ ...fenced, revisionId: plan.revisionId }));
        run.phase('generate');
        forward = await produce(saga, fenced, { plan, buckets, back });
        await saga.step('directions', () => records.recordDirections({ ...fenced, forward: forward ?? null, back }));
        run.stopIfCancelled();
        run.phase('decide');
        await CancellationScope.nonCancellable(() => saga.step('decide', () => records.decide({ ...fenced, decision: 'target' })));
      });
    } catch (error) {
      const turned = await turnBack(saga, fenced);
      fenced = turned.fenced;
      if (turned.decision === 'abort' || forward === undefined) throw error;
    }

    if (forward === undefined) throw failure('InvariantViolated', 'A generation decided without a commit.');
    const target: Moment = forward;
    const settled = await pastDecision(() => settleGeneration(run, fenced, { forward: target, back }));
    if (settled.went === 'back') return { ...unchanged(settled.why), health: settled.health, degraded: settled.degraded };
    return {
      outcome: 'generated', health: settled.health, degraded: settled.degraded, receipt: settled.receipt, undo: back.checkpointId,
      message: `Generated ${target.checkpointId}; ${back.checkpointId} takes it back.`,
    };
  });
}

/** Undo of this generation goes here, so rows written since the last one are kept. */
async function preGeneration(run: Run, fenced: Fenced, { saga, current }: { saga: Saga; current: Moment }): Promise<Moment> {
  const checkpointId = operationCheckpointId(fenced.operationId, 'pre-generation');
  const { tenantId, timelineId } = current;
  const point = await saveWorktree(run, fenced, { saga, current, reason: 'pre-generation' });
  const moment: Moment = { checkpointId, commit: point.commit, tree: point.tree, tenantId, timelineId };
  await saga.step('pre-generation checkpoint', async () => {
    await records.recordCheckpointIntent({ ...fenced, moment, kind: 'pre-generation', parentId: current.checkpointId, declaredFrom: 'rows' });
    await completeRunning(fenced, moment);
  }, async (unwinding) => {
    await data.unpinMoment({ projectId: fenced.projectId, tenantId, timelineId, checkpointId });
    await records.voidCheckpoint({ ...unwinding, checkpointId });
  });
  return { ...moment, checkpointId: moment.checkpointId };
}

/** `resolveCreatesAppSentinels` in reconcile mode: every declared app becomes real, or the run is refused. */
async function reconcileApps(saga: Saga, fenced: Fenced, plan: GenerationPlan): Promise<void> {
  for (const app of plan.creates) {
    await saga.step(`materialize ${app.slug}`, () => materialize(fenced, plan, app), async (unwinding) => {
      await code.dropRun(unwinding);
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

/** One `generateApp` per app, side by side, then one commit whose intent is recorded. */
async function produce(saga: Saga, fenced: Fenced, input: { plan: GenerationPlan; buckets: readonly Bucket[]; back: Moment }): Promise<Moment> {
  const { plan, buckets, back } = input;
  const { revisionId } = plan;
  await saga.step('generate apps', () => sideBySide(buckets.map((bucket) => () => executeChild(generateApp, {
    workflowId: `${workflowInfo().workflowId}/${fenced.operationId}/generate/${bucket.slug}`,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL, args: [{ fenced, bucket, revisionId } satisfies GenerateAppRequest],
  }))), (unwinding) => code.dropRun(unwinding));
  const point = await saga.step('commit', () => code.composeCommit({ ...fenced, buckets, revisionId }));
  const checkpointId = operationCheckpointId(fenced.operationId, 'target');
  const moment: Moment = { ...back, checkpointId, commit: point.commit, tree: point.tree };
  await saga.step('checkpoint intent', async () => {
    await records.recordCheckpointIntent({ ...fenced, moment, kind: 'generated', parentId: back.checkpointId, declaredFrom: revisionId });
    await infra.ensureSecrets({ ...fenced, moment });
  }, (unwinding) => records.voidCheckpoint({ ...unwinding, checkpointId }));
  return moment;
}

/** All at once; the first failure cancels the others and waits for them, so that nothing is undone under a running one. */
async function sideBySide<T>(work: readonly (() => Promise<T>)[]): Promise<void> {
  const scope = new CancellationScope({ cancellable: true });
  let failed: { readonly error: unknown } | undefined;
  await scope.run(() => Promise.allSettled(work.map(async (one) => {
    try {
      await one();
    } catch (error) {
      failed ??= { error };
      scope.cancel();
    }
  })));
  if (failed !== undefined) throw failed.error;
}
