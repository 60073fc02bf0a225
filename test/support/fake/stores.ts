/**
 * The four fake stores of one project and the fences that they were shown. Each refuses what
 * ARCHITECTURE's fence table says that it refuses, no more.
 */
import { tenantIdOf } from '../../../shared/derive.ts';
import { AdorableError } from '../../../shared/errors.ts';
import type { AppId, CheckpointId, CommitSha, OperationId, ProjectId, RevisionId, TimelineId, TreeHash } from '../../../shared/ids.ts';
import { lsnText } from '../../../shared/lsn.ts';
import type { Lsn } from '../../../shared/lsn.ts';
import type { Fenced, Moment } from '../../../shared/moment.ts';
import type { CheckFinding, CommitPoint, FailedAttempt, MaterializedApp, Reuse } from '../../../shared/ports.ts';
import { commitOf, replay, treeOf } from './values.ts';
import type { AppRow, CheckpointRow, Commit, Files, OperationRow, Replayed, Timeline } from './values.ts';

export interface FakeWorldState {
  fence: number;
  /** The project has a row that is not archived; its repository and namespace exist. */
  exists: boolean;
  position: CheckpointId | null;
  /** The timeline of the position, as the rows say. */
  timelineId: TimelineId | null;
  redoStack: readonly CheckpointId[];
  apps: AppRow[];
  checkpoints: Record<string, CheckpointRow>;

  repository: boolean;
  head: CommitPoint;
  commits: Record<string, Commit>;
  trees: Record<string, Files>;
  /** What somebody changed in the worktree and did not commit. */
  dirty: Files | null;
  /** Results of generations, by operation: slug → files. */
  runs: Record<string, Record<string, Files>>;

  timelines: Record<string, Timeline>;
  sealed: TimelineId[];
  /** LSN that each pinned checkpoint holds. */
  pins: Record<string, Lsn>;

  namespace: boolean;
  serving: TimelineId | null;
  computeUp: boolean;
  appsUp: boolean;
  gateway: 'open' | 'restoring';
  /** What the Deployments run: a tree and the apps that have one. */
  deployed: { readonly tree: TreeHash; readonly apps: readonly AppId[] } | null;
}

/** What the approved revision asks for. */
export interface Proposal {
  readonly revisionId: RevisionId;
  readonly creates: readonly MaterializedApp[];
  /** Apps that exist and get new code; a name beside it is a migration that comes with it. */
  readonly changes: readonly { readonly slug: string; readonly migration?: string }[];
}

export class FakeStores {
  readonly projectId: ProjectId;
  readonly operations = new Map<OperationId, OperationRow>();
  state: FakeWorldState;
  proposal: Proposal;
  /** What an earlier run of the revision left to be taken up. */
  reuse: Reuse | null = null;
  /** How often one app may be produced; what its checks find in each attempt, and what came back to its producer. */
  produceAttempts = 1;
  findings: CheckFinding[][] = [];
  readonly mended: FailedAttempt[] = [];
  /** A store learns a fence by the first write that carries it. */
  readonly #fences = { code: 0, data: 0, infra: 0 };
  #lsn = 0x10000n;

  constructor(projectId: ProjectId, state: FakeWorldState, proposal: Proposal) {
    this.projectId = projectId;
    this.state = state;
    this.proposal = proposal;
  }

  /** Rows know every fence; another store only what it was shown. */
  guard({ fence }: Pick<Fenced, 'fence'>, store: 'rows' | 'code' | 'data' | 'infra' = 'rows'): void {
    const newest = store === 'rows' ? this.state.fence : this.#fences[store];
    if (store === 'rows' ? fence !== newest : fence < newest) throw new AdorableError('StaleFence', 'a newer operation took over');
    if (store !== 'rows') this.#fences[store] = fence;
  }

  /** No compute can attach from here on; the answer is the end of what was written. */
  seal(input: Pick<Fenced, 'fence'>, timelineId: TimelineId): Lsn {
    this.guard(input, 'data');
    if (this.state.computeUp && this.state.serving === timelineId) throw new AdorableError('PreconditionFailed', 'a compute is attached');
    this.timeline(timelineId);
    if (!this.state.sealed.includes(timelineId)) this.state.sealed.push(timelineId);
    return this.nextLsn();
  }

  operation(id: OperationId): OperationRow {
    const operation = this.operations.get(id);
    if (operation === undefined) throw new AdorableError('NotFound', `no operation ${id}`);
    return operation;
  }

  checkpoint(id: CheckpointId): CheckpointRow {
    const row = this.state.checkpoints[id];
    if (row === undefined) throw new AdorableError('NotFound', `no checkpoint ${id}`);
    return row;
  }

  put(row: CheckpointRow): void {
    this.state.checkpoints[row.checkpointId] = row;
  }

  here(): Moment | null {
    const { position, head, timelineId } = this.state;
    if (position === null || timelineId === null) return null;
    return { checkpointId: position, ...head, tenantId: tenantIdOf(this.projectId), timelineId };
  }

  liveApps(): AppRow[] {
    return this.state.apps.filter((app) => app.state === 'live' && !app.archived);
  }

  nextLsn(): Lsn {
    this.#lsn += 0x100n;
    return lsnText(this.#lsn);
  }

  timeline(id: TimelineId): Timeline {
    const timeline = this.state.timelines[id];
    if (timeline === undefined) throw new AdorableError('Unreachable', `no timeline ${id}`);
    return timeline;
  }

  /** SQL needs a compute that serves this timeline. */
  served(timelineId?: TimelineId): Timeline {
    const { computeUp, serving } = this.state;
    if (!computeUp || serving === null) throw new AdorableError('Unavailable', 'no compute answers');
    if (timelineId !== undefined && timelineId !== serving) throw new AdorableError('VerifyFailed', 'another timeline is served');
    return this.timeline(serving);
  }

  /** What the database answers, were it asked. */
  data(): Replayed {
    const { serving } = this.state;
    return replay(serving === null ? [] : (this.state.timelines[serving]?.log ?? []));
  }

  files(tree: TreeHash = this.state.head.tree): Files {
    return this.state.trees[tree] ?? {};
  }

  /** A commit of these files upon HEAD, which does not move. */
  commit(files: Files, operationId: OperationId): CommitPoint {
    const tree = treeOf(files);
    const commit = commitOf(tree, this.state.head.commit, operationId);
    this.state.trees[tree] = files;
    this.state.commits[commit] = { tree, parent: this.state.head.commit };
    return { commit, tree };
  }
}

export const NO_COMMIT: CommitPoint = { commit: '' as CommitSha, tree: treeOf({}) };
