/**
 * A small visible world behind the activity ports, for workflow tests: trees, rows, forks, apps and
 * checkpoints are plain values that move as the stores move them, so that a test compares what a
 * person would find. Faults are injected at activity boundaries: before the effect, or after it with
 * the reply lost; a harness may step in at any of them. Never the proof that a store works.
 */
import { ApplicationFailure } from '@temporalio/common';
import { tenantIdOf } from '../../shared/derive.ts';
import { AdorableError, isRetryable } from '../../shared/errors.ts';
import type { FailureType } from '../../shared/errors.ts';
import type { AppId, CheckpointId, CommitSha, ProjectId, RevisionId, TimelineId } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import type { RecordedMoment } from '../../shared/moment.ts';
import type { Activities } from '../../shared/ports.ts';
import { createFakeCode } from './fake/code.ts';
import { createFakeData } from './fake/data.ts';
import { createFakeInfra } from './fake/infra.ts';
import { createFakeRecords } from './fake/records.ts';
import { FakeStores, NO_COMMIT } from './fake/stores.ts';
import type { FakeWorldState, Proposal } from './fake/stores.ts';
import { treeOf } from './fake/values.ts';
import type { CheckpointRow, Entry, Files } from './fake/values.ts';

export const PROJECT = 'qiwykfu39n' as ProjectId;
export const REVISION = 'rev_000000000001' as RevisionId;
export const HOME = 'a_000000000001' as AppId;
export const BLOG = { appId: 'a_00000000blog' as AppId, slug: 'blog', kind: 'react', name: 'Blog', featureId: 'blog' } as const;
const TIMELINE = '0'.repeat(31).concat('1') as TimelineId;
const MIGRATION = { 'apps/home/migrations/0001': '0001' };
const OLD_FILES: Files = { 'apps/home/source': 'old', ...MIGRATION };
const NOW_FILES: Files = { 'apps/home/source': 'now', ...MIGRATION };
const OLD = { commit: 'a'.repeat(40) as CommitSha, tree: treeOf(OLD_FILES) };
const NOW = { commit: 'b'.repeat(40) as CommitSha, tree: treeOf(NOW_FILES) };

export type FaultKind = 'before' | 'after';

/** One call of an activity, for a harness that decides what becomes of it. */
export interface BoundaryCall {
  readonly name: string;
  readonly input: unknown;
  /** How often this activity was called so far, this call included. */
  readonly nth: number;
  readonly effect: () => Promise<unknown>;
}

/** Before the generation that made the current moment. */
export const TARGET: RecordedMoment = { checkpointId: 'cp_000000000001' as CheckpointId, ...OLD, tenantId: tenantIdOf(PROJECT), timelineId: TIMELINE, lsn: '0/1000' as Lsn, sealed: false };
const HERE: RecordedMoment = { ...TARGET, checkpointId: 'cp_000000000002' as CheckpointId, ...NOW, lsn: '0/1800' as Lsn };

/** One app, `home`, in its second generation; a row was written in each. */
function initialState(projectId: ProjectId): FakeWorldState {
  const log: Entry[] = [
    { at: '0/100' as Lsn, does: 'create', schema: HOME }, { at: '0/200' as Lsn, does: 'migrate', schema: HOME, name: '0001' },
    { at: '0/300' as Lsn, does: 'write', schema: HOME, row: 1 }, { at: '0/1400' as Lsn, does: 'write', schema: HOME, row: 2 },
  ];
  const recorded = { tenantId: tenantIdOf(projectId), operationId: null, aliasOf: null, apps: [HOME], status: 'complete', marks: [{ owner: HOME, name: '0001', checksum: '0001' }] } as const;
  const checkpoints: readonly CheckpointRow[] = [
    { ...TARGET, ...recorded, kind: 'pre-generation', parentId: null }, { ...HERE, ...recorded, kind: 'generated', parentId: TARGET.checkpointId },
  ];
  return {
    fence: 1, exists: true, position: HERE.checkpointId, timelineId: TIMELINE, redoStack: [],
    apps: [{ id: HOME, slug: 'home', state: 'live', archived: false, operationId: null }], checkpoints: Object.fromEntries(checkpoints.map((row) => [row.checkpointId, row])),
    repository: true, head: NOW, commits: { [OLD.commit]: { tree: OLD.tree, parent: null }, [NOW.commit]: { tree: NOW.tree, parent: OLD.commit } },
    trees: { [OLD.tree]: OLD_FILES, [NOW.tree]: NOW_FILES }, dirty: null, runs: {},
    timelines: { [TIMELINE]: { log, fence: 1 } }, sealed: [], pins: { [TARGET.checkpointId]: TARGET.lsn, [HERE.checkpointId]: HERE.lsn },
    namespace: true, serving: TIMELINE, computeUp: true, appsUp: true, gateway: 'open', deployed: { tree: NOW.tree, apps: [HOME] },
  };
}

function nothing(): FakeWorldState {
  return {
    fence: 1, exists: false, position: null, timelineId: null, redoStack: [], apps: [], checkpoints: {}, repository: false, head: NO_COMMIT, commits: {}, trees: {}, dirty: null, runs: {},
    timelines: {}, sealed: [], pins: {}, namespace: false, serving: null, computeUp: false, appsUp: false, gateway: 'open', deployed: null,
  };
}

const NOTHING_PROPOSED: Proposal = { revisionId: REVISION, creates: [], changes: [] };

/** A bench on a real Temporal server serves it: that is what it acts on. */
const pushRun = (): Promise<void> => Promise.resolve();

export class FakeWorld extends FakeStores {
  readonly calls: string[] = [];
  /** Fails an activity once (`times` 1) or for good. */
  readonly faults = new Map<string, { kind: FaultKind; times: number; type: FailureType }>();
  /** Sees every call. */
  observe: ((call: Pick<BoundaryCall, 'name' | 'input'>) => void) | undefined;
  /** Takes every call over while it is set. */
  intercept: ((call: BoundaryCall) => Promise<unknown>) | undefined;
  readonly #counts = new Map<string, number>();

  constructor(projectId: ProjectId = PROJECT, state: FakeWorldState = initialState(projectId)) {
    super(projectId, state, NOTHING_PROPOSED);
  }

  /** Before anything was provisioned. */
  static empty(projectId: ProjectId = PROJECT): FakeWorld {
    return new FakeWorld(projectId, nothing());
  }

  /** With an approved plan that adds a blog. */
  static proposingBlog(projectId: ProjectId = PROJECT): FakeWorld {
    const world = new FakeWorld(projectId);
    world.proposal = { revisionId: REVISION, creates: [BLOG], changes: [] };
    return world;
  }

  /** With an approved plan that changes the schema of the app that is there. */
  static proposingMigration(projectId: ProjectId = PROJECT): FakeWorld {
    const world = new FakeWorld(projectId);
    world.proposal = { revisionId: REVISION, creates: [], changes: [{ slug: 'home', migration: '0002' }] };
    return world;
  }

  /** A row through the app's door: true when it was acknowledged. */
  write(slug: string, row: number): boolean {
    const { gateway, appsUp, computeUp, serving, sealed, deployed, timelines } = this.state;
    const app = this.liveApps().find((candidate) => candidate.slug === slug);
    if (app === undefined || gateway !== 'open' || !appsUp || !computeUp || serving === null || sealed.includes(serving) || deployed?.apps.includes(app.id) !== true) return false;
    timelines[serving]?.log.push({ at: this.nextLsn(), does: 'write', schema: app.id, row });
    return true;
  }

  /** A file changed in the worktree and left there. */
  edit(path: string, content: string): void {
    this.state.dirty = { ...(this.state.dirty ?? this.files()), [path]: content };
  }

  /** What a person can reach, and what must not be left behind. */
  visible() {
    const { exists, repository, namespace, position, redoStack, serving, timelines, sealed, computeUp, appsUp, gateway, deployed, apps, head, checkpoints, runs } = this.state;
    const { schemas, rows } = this.data();
    return structuredClone({
      exists, repository, namespace, position, redoStack, serving, computeUp, appsUp, gateway, deployed, sealed, tree: head.tree, schemas, rows,
      timelines: Object.keys(timelines).sort(), runRefs: Object.keys(runs).length > 0,
      pendingApps: apps.filter((app) => app.state === 'pending').map(({ id }) => id), liveApps: this.liveApps().map(({ id }) => id),
      intents: Object.values(checkpoints).filter(({ status }) => status === 'intent').length,
    });
  }

  /** What nothing refers to any more, or what a listed moment lacks: by name, empty when all is well. */
  leaks(): string[] {
    const { checkpoints, pins, apps, runs, timelines, timelineId, exists } = this.state;
    const rows = Object.values(checkpoints);
    const complete = rows.filter(({ status }) => status === 'complete');
    const kept = new Set<string | null>([timelineId, ...complete.map((row) => row.timelineId)]);
    return [
      ...Object.keys(pins).filter((id) => checkpoints[id]?.status !== 'complete').map((id) => `pin of ${id} (${checkpoints[id]?.status ?? 'no row'})`),
      ...rows.filter(({ status }) => status === 'intent').map(({ checkpointId }) => `intent ${checkpointId}`),
      ...complete.filter((row) => exists && timelines[row.timelineId] === undefined).map(({ checkpointId }) => `nothing to fork ${checkpointId} from`),
      ...Object.keys(timelines).filter((id) => !kept.has(id)).map((id) => `fork ${id}`),
      ...apps.filter((app) => app.state === 'pending').map(({ id }) => `pending app ${id}`),
      ...[...this.operations].filter(([, row]) => row.outcome === null).map(([id]) => `open operation ${id}`),
      ...Object.keys(runs).map((id) => `run refs of ${id}`),
    ];
  }

  /** Calls are counted anew. */
  forgetCalls(): void {
    this.calls.length = 0;
    this.#counts.clear();
  }

  activities(): Activities {
    const plain: Activities = { ...createFakeRecords(this), ...createFakeCode(this), ...createFakeData(this), ...createFakeInfra(this), pushRun };
    const wrapped = Object.fromEntries(Object.entries(plain).map(([name, work]) => [name, async (input: never) => await this.#boundary(name, input, () => (work as (input: never) => unknown)(input))]));
    return wrapped as unknown as Activities;
  }

  async #boundary(name: string, input: unknown, work: () => unknown): Promise<unknown> {
    this.calls.push(name);
    this.observe?.({ name, input });
    const nth = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, nth);
    const effect = async (): Promise<unknown> => {
      try {
        return await work();
      } catch (error) {
        if (error instanceof AdorableError) throw ApplicationFailure.create({ type: error.type, message: error.message, nonRetryable: !isRetryable(error.type), details: [error.details] });
        throw error;
      }
    };
    if (this.intercept !== undefined) return await this.intercept({ name, input, nth, effect });
    const fault = this.faults.get(name);
    const strikes = fault !== undefined && fault.times > 0;
    if (strikes) fault.times -= 1;
    const fail = (): never => { throw ApplicationFailure.create({ type: fault?.type ?? 'Unavailable', message: `${name}: injected`, nonRetryable: fault?.type !== 'Unavailable' }); };
    if (strikes && fault.kind === 'before') fail();
    const result = await effect();
    if (strikes && fault.kind === 'after') fail();
    return result;
  }
}
