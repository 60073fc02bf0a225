/**
 * A small visible world behind the activity ports, for workflow tests: what each store holds is a
 * plain value that a test compares. Faults are injected at activity boundaries: before the
 * effect, or after it with the reply lost; a harness may step in at any of them. Each store keeps
 * the fence that it was last shown and refuses what ARCHITECTURE's table says it refuses, no more.
 * Never the proof that a store works.
 */
import { ApplicationFailure } from '@temporalio/common';
import { operationCheckpointId, tenantIdOf } from '../../shared/derive.ts';
import type { AppId, CheckpointId, CommitSha, OperationId, ProjectId, RevisionId, TimelineId, TreeHash } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import type { Fenced, Moment, OperationKind, RecordedMoment } from '../../shared/moment.ts';
import type { Activities, Bucket, Decision, MaterializedApp, Reuse } from '../../shared/ports.ts';
import type { Receipt, RestorePlan } from '../../shared/restore/plan.ts';

export const PROJECT = 'qiwykfu39n' as ProjectId;
export const REVISION = 'rev_000000000001' as RevisionId;
const TIMELINE = '0'.repeat(31).concat('1') as TimelineId;
const OLD = { commit: 'a'.repeat(40) as CommitSha, tree: '1'.repeat(40) as TreeHash };
const NOW = { commit: 'b'.repeat(40) as CommitSha, tree: '2'.repeat(40) as TreeHash };
const MADE = { commit: 'c'.repeat(40) as CommitSha, tree: '3'.repeat(40) as TreeHash };

export type FaultKind = 'before' | 'after';

interface OperationState {
  kind: OperationKind;
  runId: string;
  decision: Decision | null;
  final: boolean;
  outcome: string | null;
  forward: Moment | null;
  back: Moment | null;
  before: CheckpointId | null;
}

/** One call of an activity, for a harness that decides what becomes of it. */
export interface BoundaryCall {
  readonly name: string;
  readonly input: unknown;
  /** How often this activity was called so far, this call included. */
  readonly nth: number;
  readonly effect: () => Promise<unknown>;
}

export interface FakeWorldState {
  fence: number;
  /** The project has a row that is not archived; its repository and namespace exist. */
  exists: boolean;
  repository: boolean;
  namespace: boolean;
  tree: TreeHash;
  position: CheckpointId | null;
  serving: TimelineId | null;
  timelines: TimelineId[];
  sealed: TimelineId[];
  computeUp: boolean;
  appsUp: boolean;
  gateway: 'open' | 'restoring';
  pendingApps: AppId[];
  liveApps: AppId[];
  schemas: string[];
  runRefs: boolean;
  checkpoints: Record<string, 'intent' | 'complete' | 'void'>;
  /** LSN that each pinned checkpoint holds. */
  pins: Record<string, Lsn>;
}

export const TARGET: RecordedMoment = {
  checkpointId: 'cp_000000000001' as CheckpointId, ...OLD, tenantId: tenantIdOf(PROJECT), timelineId: TIMELINE, lsn: '0/1000' as Lsn, sealed: false,
};
const HERE: Moment = { checkpointId: 'cp_000000000002' as CheckpointId, ...NOW, tenantId: tenantIdOf(PROJECT), timelineId: TIMELINE };

export class FakeWorld {
  readonly operations = new Map<OperationId, OperationState>();
  readonly calls: string[] = [];
  /** Apps that the approved revision creates. */
  creates: MaterializedApp[] = [];
  /** Migrations of existing apps that the approved revision brings. */
  changes: string[] = [];
  /** What an earlier run of the revision left to be taken up. */
  reuse: Reuse | null = null;
  /** Fails an activity once (`times` 1) or for good. */
  readonly faults = new Map<string, { kind: FaultKind; times: number; type: string }>();
  /** Sees every call. */
  observe: ((call: Pick<BoundaryCall, 'name' | 'input'>) => void) | undefined;
  /** Takes every call over while it is set. */
  intercept: ((call: BoundaryCall) => Promise<unknown>) | undefined;
  /** A store learns a fence by the first write that carries it. */
  readonly #fences = { code: 0, data: 0, infra: 0 };
  #lsn = 0x3000;
  state: FakeWorldState = {
    fence: 1, exists: true, repository: true, namespace: true, tree: NOW.tree, position: HERE.checkpointId, serving: TIMELINE, timelines: [TIMELINE], sealed: [], computeUp: true, appsUp: true,
    gateway: 'open', pendingApps: [], liveApps: ['a_000000000001' as AppId], schemas: ['a_000000000001'], runRefs: false,
    checkpoints: { [TARGET.checkpointId]: 'complete', [HERE.checkpointId]: 'complete' },
    pins: { [TARGET.checkpointId]: TARGET.lsn, [HERE.checkpointId]: '0/1800' as Lsn },
  };

  /** Before anything was provisioned. */
  static empty(): FakeWorld {
    const world = new FakeWorld();
    Object.assign(world.state, {
      exists: false, repository: false, namespace: false, position: null, serving: null, timelines: [], computeUp: false, appsUp: false,
      liveApps: [], schemas: [], checkpoints: {}, pins: {},
    });
    return world;
  }

  /** What a person can reach, and what must not leak. */
  visible() {
    const { fence: _fence, checkpoints, pins: _pins, ...rest } = this.state;
    return structuredClone({ ...rest, timelines: [...rest.timelines].sort(), intents: Object.values(checkpoints).filter((status) => status === 'intent').length });
  }

  /** What nothing refers to any more, or what a listed moment lacks: by name, empty when all is well. */
  leaks(): string[] {
    const { checkpoints, pins, pendingApps, runRefs } = this.state;
    const found = [
      ...Object.keys(pins).filter((id) => checkpoints[id] !== 'complete').map((id) => `pin of ${id} (${checkpoints[id] ?? 'no row'})`),
      ...Object.entries(checkpoints).filter(([, status]) => status === 'intent').map(([id]) => `intent ${id}`),
      ...pendingApps.map((id) => `pending app ${id}`),
      ...[...this.operations].filter(([, row]) => row.outcome === null).map(([id]) => `open operation ${id}`),
    ];
    return runRefs ? [...found, 'run refs'] : found;
  }

  activities(): Activities {
    const plain = this.#plain();
    const wrapped = Object.fromEntries(Object.entries(plain).map(([name, work]) => [name, async (input: never) => await this.#boundary(name, input, () => (work as (input: never) => unknown)(input))]));
    return wrapped as unknown as Activities;
  }

  async #boundary(name: string, input: unknown, work: () => unknown): Promise<unknown> {
    this.calls.push(name);
    this.observe?.({ name, input });
    if (this.intercept !== undefined) {
      return await this.intercept({ name, input, nth: this.calls.filter((call) => call === name).length, effect: async () => await work() });
    }
    const fault = this.faults.get(name);
    const strikes = fault !== undefined && fault.times > 0;
    if (strikes) fault.times -= 1;
    const fail = (): never => { throw ApplicationFailure.create({ type: fault?.type ?? 'Unavailable', message: `${name}: injected`, nonRetryable: fault?.type !== 'Unavailable' }); };
    if (strikes && fault.kind === 'before') fail();
    const result = await work();
    if (strikes && fault.kind === 'after') fail();
    return result;
  }

  /** Rows know every fence; another store only what it was shown. */
  #guard({ fence }: Pick<Fenced, 'fence'>, store: 'rows' | 'code' | 'data' | 'infra' = 'rows'): void {
    const newest = store === 'rows' ? this.state.fence : this.#fences[store];
    if (store === 'rows' ? fence !== newest : fence < newest) throw ApplicationFailure.create({ type: 'StaleFence', message: 'a newer operation took over', nonRetryable: true });
    if (store !== 'rows') this.#fences[store] = fence;
  }

  /** SQL needs a compute that serves this timeline. */
  #served(timelineId?: TimelineId): void {
    if (!this.state.computeUp) throw ApplicationFailure.create({ type: 'Unavailable', message: 'no compute answers' });
    if (timelineId !== undefined && timelineId !== this.state.serving) throw ApplicationFailure.create({ type: 'VerifyFailed', message: 'another timeline is served', nonRetryable: true });
  }

  #seal(input: Fenced & { timelineId: TimelineId }): Promise<{ lsn: Lsn }> {
    this.#guard(input, 'data');
    if (this.state.computeUp) throw ApplicationFailure.create({ type: 'PreconditionFailed', message: 'a compute is attached', nonRetryable: true });
    if (!this.state.sealed.includes(input.timelineId)) this.state.sealed.push(input.timelineId);
    return Promise.resolve({ lsn: '0/2000' as Lsn });
  }

  #operation(id: OperationId): OperationState {
    const operation = this.operations.get(id);
    if (operation === undefined) throw new Error(`no operation ${id}`);
    return operation;
  }

  #here(): Moment | null {
    if (this.state.position === null) return null;
    return { ...HERE, checkpointId: this.state.position, tree: this.state.tree, timelineId: this.state.serving ?? TIMELINE };
  }

  #plain(): Activities {
    const { state } = this;
    const receipt = (moment: Moment): Receipt => ({
      checkpointId: moment.checkpointId, ok: state.tree === moment.tree && state.serving === moment.timelineId, commit: moment.commit, tree: state.tree, timelineId: moment.timelineId,
      pgTimelineId: 1, systemIdentifier: '1', apps: [], services: [], objects: 1, objectsDigest: '', declaredDigest: '', digest: '', differences: [], noticed: [],
    });
    return {
      ensureProject: () => { if (this.operations.size === 0) state.exists = true; return Promise.resolve(); },
      claimOperation: ({ projectId, operationId, kind, runId }) => {
        const isOpen = [...this.operations.values()].some((row) => row.outcome === null);
        if (!state.exists && !isOpen) throw ApplicationFailure.create({ type: 'NotFound', message: 'no project', nonRetryable: true });
        const own = this.operations.get(operationId);
        if (own !== undefined && own.outcome !== null) throw ApplicationFailure.create({ type: 'PreconditionFailed', message: 'ended already', nonRetryable: true });
        const base = { projectId, operationId, name: 'Home', current: this.#here() };
        if (own?.runId === runId) return Promise.resolve({ ...base, fence: state.fence, abandoned: null });
        state.fence += 1;
        const open = [...this.operations].find(([, row]) => row.outcome === null);
        if (open !== undefined) {
          const [id, row] = open;
          return Promise.resolve({ ...base, fence: state.fence, abandoned: { operationId: id, kind: row.kind, decision: row.decision, final: row.final, forward: row.forward, back: row.back, current: base.current } });
        }
        this.operations.set(operationId, { kind, runId, decision: null, final: false, outcome: null, forward: null, back: null, before: null });
        return Promise.resolve({ ...base, fence: state.fence, abandoned: null });
      },
      readCurrentMoment: () => {
        const here = this.#here();
        if (here === null) throw ApplicationFailure.create({ type: 'PreconditionFailed', message: 'never provisioned', nonRetryable: true });
        return Promise.resolve(here);
      },
      raiseOperationFence: (input) => {
        // From the caller's fence to the next one, once.
        if (state.fence === input.fence) state.fence += 1;
        this.#guard({ fence: input.fence + 1 });
        return Promise.resolve({ fence: state.fence });
      },
      planRestore: ({ mode, record }) => {
        const here = this.#here() ?? HERE;
        if (record !== undefined) {
          this.#guard(record);
          const forward: Moment = { ...TARGET, checkpointId: operationCheckpointId(record.operationId, 'target') };
          Object.assign(this.#operation(record.operationId), { forward, back: here });
          state.checkpoints[operationCheckpointId(record.operationId, 'pre-restore')] = 'intent';
          state.checkpoints[forward.checkpointId] = 'intent';
        }
        const plan: RestorePlan = {
          mode, current: here, target: TARGET, targetKind: 'pre-generation', redo: false, archiveApps: [], reactivateApps: [], archiveRevisions: 0,
          reactivateRevision: null, deprovisionServices: [], reprovisionServices: [], schemaChanges: [], revives: [], notCovered: [], noticed: [], digest: 'd',
        };
        return Promise.resolve(plan);
      },
      recordCheckpointIntent: (input) => {
        this.#guard(input);
        const id = input.moment.checkpointId;
        if (state.checkpoints[id] !== 'complete') state.checkpoints[id] = 'intent';
        return Promise.resolve();
      },
      completeCheckpoint: (input) => {
        this.#guard(input);
        state.checkpoints[input.checkpointId] = 'complete';
        if (input.makeCurrent) {
          state.position = input.checkpointId;
          this.#operation(input.operationId).decision ??= 'target';
        }
        return Promise.resolve();
      },
      voidCheckpoint: (input) => {
        this.#guard(input);
        for (const role of ['target', 'pre-restore', 'pre-generation']) {
          const id = operationCheckpointId(input.operationId, role);
          if (state.checkpoints[id] === 'intent' || (id === input.checkpointId && id !== state.position && id in state.checkpoints)) state.checkpoints[id] = 'void';
        }
        return Promise.resolve();
      },
      decide: (input) => {
        this.#guard(input);
        const row = this.#operation(input.operationId);
        if (row.decision === null) {
          const { directions, snapshot } = input;
          if (directions !== undefined) Object.assign(row, directions);
          if (snapshot !== undefined) state.checkpoints[snapshot.checkpointId] = 'complete';
          row.decision = input.decision;
          row.before = state.position;
          if (input.decision === 'target' && row.forward !== null) {
            state.position = row.forward.checkpointId;
            if (row.kind === 'restore') state.checkpoints[row.forward.checkpointId] = 'complete';
            state.liveApps = [...state.liveApps, ...state.pendingApps.splice(0)];
          }
        }
        return Promise.resolve({ decision: row.decision });
      },
      decideBack: (input) => {
        this.#guard(input);
        const row = this.#operation(input.operationId);
        if (row.decision !== 'back' && row.final) return Promise.resolve({ decision: 'target' });
        if (row.decision !== 'back' && row.back !== null) {
          row.decision = 'back';
          state.position = row.before ?? row.back.checkpointId;
          if (row.forward !== null) state.checkpoints[row.forward.checkpointId] = 'void';
        }
        return Promise.resolve({ decision: 'back' });
      },
      convergeRows: (input) => { this.#guard(input); return Promise.resolve(); },
      finalize: (input) => { this.#guard(input); this.#operation(input.operationId).final = true; return Promise.resolve(); },
      closeOperation: (input) => { this.#operation(input.operationId).outcome ??= input.outcome; return Promise.resolve(); },
      planGeneration: () => Promise.resolve({ revisionId: REVISION, creates: this.creates, addsServices: [], reuse: this.reuse }),
      ensurePendingApp: (input) => { this.#guard(input); if (!state.pendingApps.includes(input.app.appId)) state.pendingApps.push(input.app.appId); return Promise.resolve(); },
      dropPendingApp: (input) => {
        this.#guard(input);
        state.pendingApps = state.pendingApps.filter((id) => id !== input.appId);
        if (this.#operation(input.operationId).decision === 'back') state.liveApps = state.liveApps.filter((id) => id !== input.appId);
        return Promise.resolve();
      },
      resolveCreatesAppSentinels: (input) => { this.#guard(input); return Promise.resolve(); },
      bucketPlan: () => Promise.resolve(this.creates.map((app): Bucket => ({ appId: app.appId, slug: app.slug, featureIds: [app.featureId] }))),
      pendingOf: () => Promise.resolve({ apps: this.creates.map((app) => app.appId), services: [] }),
      archiveProject: (input) => {
        this.#guard(input);
        Object.assign(state, { exists: false, liveApps: [], pendingApps: [] });
        for (const id of Object.keys(state.checkpoints)) state.checkpoints[id] = 'void';
        return Promise.resolve();
      },

      ensureRepository: (input) => { this.#guard(input, 'code'); state.repository = true; return Promise.resolve(NOW); },
      commitDirty: (input) => { this.#guard(input, 'code'); return Promise.resolve({ ...NOW, tree: state.tree, committed: false }); },
      scaffoldApp: (input) => { this.#guard(input, 'code'); state.runRefs = true; return Promise.resolve(); },
      produceApp: (input) => { this.#guard(input, 'code'); state.runRefs = true; return Promise.resolve({ files: 1 }); },
      checkApp: (input) => { this.#guard(input, 'code'); return Promise.resolve(MADE); },
      adoptResult: (input) => { this.#guard(input, 'code'); state.runRefs = true; return Promise.resolve({ point: MADE }); },
      composeCommit: (input) => { this.#guard(input, 'code'); return Promise.resolve(MADE); },
      restoreVersion: (input) => { this.#guard(input, 'code'); state.tree = input.moment.tree; return Promise.resolve({ commit: input.moment.commit, tree: input.moment.tree }); },
      dropRun: (input) => { this.#guard(input, 'code'); state.runRefs = false; return Promise.resolve(); },
      readCode: () => Promise.resolve({ ...NOW, tree: state.tree, clean: true }),
      deleteRepository: (input) => { this.#guard(input, 'code'); Object.assign(state, { repository: false, runRefs: false }); return Promise.resolve(); },

      ensureTenant: (input) => { if (!state.timelines.includes(input.timelineId)) state.timelines.push(input.timelineId); return Promise.resolve(); },
      deleteTenant: () => {
        if (state.computeUp) throw ApplicationFailure.create({ type: 'Unavailable', message: 'a compute is attached' });
        Object.assign(state, { timelines: [], sealed: [], schemas: [], serving: null, pins: {} });
        return Promise.resolve();
      },
      forkBranch: (input) => { if (!state.timelines.includes(input.newTimelineId)) state.timelines.push(input.newTimelineId); return Promise.resolve(); },
      deleteFork: (input) => {
        if (state.computeUp && state.serving === input.timelineId) throw ApplicationFailure.create({ type: 'PreconditionFailed', message: 'a compute is attached', nonRetryable: true });
        state.timelines = state.timelines.filter((id) => id !== input.timelineId);
        return Promise.resolve();
      },
      repointCompute: (input) => { this.#guard(input, 'data'); return Promise.resolve(); },
      sealTimeline: (input) => this.#seal(input),
      unsealTimeline: (input) => { this.#guard(input, 'data'); state.sealed = state.sealed.filter((id) => id !== input.timelineId); return Promise.resolve(); },
      emitCheckpointLsn: (input) => {
        this.#served(input.timelineId);
        this.#lsn += 0x100;
        return Promise.resolve({ lsn: `0/${this.#lsn.toString(16).toUpperCase()}` as Lsn });
      },
      pinMoment: (input) => {
        const known = state.pins[input.checkpointId];
        if (known !== undefined && known !== input.lsn) throw ApplicationFailure.create({ type: 'PreconditionFailed', message: 'the pin holds another LSN', nonRetryable: true });
        state.pins[input.checkpointId] = input.lsn;
        return Promise.resolve();
      },
      unpinMoment: (input) => { Reflect.deleteProperty(state.pins, input.checkpointId); return Promise.resolve(); },
      ensureAppSchema: (input) => { this.#served(); if (!state.schemas.includes(input.appId)) state.schemas.push(input.appId); return Promise.resolve(); },
      dropAppSchema: (input) => { this.#served(); state.schemas = state.schemas.filter((name) => name !== input.appId); return Promise.resolve(); },
      ensureServiceSchema: () => { this.#served(); return Promise.resolve(); },
      dropServiceSchema: () => { this.#served(); return Promise.resolve(); },
      convergeSchema: (input) => { this.#served(input.moment.timelineId); return Promise.resolve({ applied: [] }); },
      rehearseMigrations: () => { this.#served(); return Promise.resolve({ changes: this.changes }); },
      proveServing: () => Promise.resolve({ pgTimelineId: 1, proof: '1/1' }),

      ensureNamespace: (input) => { this.#guard(input, 'infra'); state.namespace = true; return Promise.resolve(); },
      ensureSecrets: () => { return Promise.resolve(); },
      startCompute: (input) => {
        this.#guard(input, 'infra');
        this.#guard(input, 'data');
        state.sealed = state.sealed.filter((id) => id !== input.moment.timelineId);
        Object.assign(state, { computeUp: true, serving: input.moment.timelineId });
        return Promise.resolve();
      },
      stopCompute: (input) => { this.#guard(input, 'infra'); state.computeUp = false; return this.#seal({ ...input, timelineId: input.moment.timelineId }); },
      freeze: (input) => { this.#guard(input, 'infra'); this.#guard(input, 'data'); Object.assign(state, { gateway: 'restoring', appsUp: false }); return Promise.resolve(); },
      convergeInfra: (input) => { this.#guard(input, 'infra'); if (!input.keepRunning) state.appsUp = false; return Promise.resolve({ created: 0, configured: 0, unchanged: 0, deleted: 0, tornDown: [], deprovisioned: [] }); },
      startTiers: (input) => { this.#guard(input, 'infra'); state.appsUp = true; return Promise.resolve({ healthy: ['app'], degraded: [] }); },
      seedServices: () => { return Promise.resolve(); },
      open: (input) => { this.#guard(input, 'infra'); state.gateway = 'open'; return Promise.resolve(); },
      deleteNamespace: (input) => { this.#guard(input, 'infra'); Object.assign(state, { namespace: false, computeUp: false, appsUp: false, gateway: 'open' }); return Promise.resolve(); },

      // The bench serves it: it acts on the Temporal server, which is real.
      pushRun: () => Promise.reject(ApplicationFailure.nonRetryable('the bench pushes', 'InvariantViolated')),
      verifyMoment: ({ moment }) => Promise.resolve(receipt(moment)),
      verifyCheckpoint: () => Promise.reject(ApplicationFailure.nonRetryable('no test asks for it', 'InvariantViolated')),
    };
  }
}
