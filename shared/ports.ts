/**
 * What workflows may ask of the world: one interface per store. Inputs and outputs are ids, SHAs,
 * counts and digests; trees, manifests and secrets never travel through a history (I7). Every
 * method may run twice, or run and lose its reply, with the same result (I9).
 */
import type { AppId, CheckpointId, CommitSha, OperationId, ProjectId, RevisionId, TenantId, TimelineId, TreeHash } from './ids.ts';
import type { Lsn } from './lsn.ts';
import type { CheckpointKind, Fenced, FencedMoment, Moment, OperationKind, RecordedMoment, RestoreMode } from './moment.ts';
import type { SweepFindings } from './contract/sweep.ts';
import type { CheckpointProof, Receipt, RestorePlan } from './restore/plan.ts';
import type { AppKind } from './spec/declared.ts';

// ── records: the platform's relational rows ──────────────────────────────────────────────────

/** An operation whose run ended without an outcome; its row alone says where the project must go. */
export interface Abandoned {
  readonly operationId: OperationId;
  readonly kind: OperationKind;
  readonly decision: Decision | null;
  /** `final` is set: nothing unwinds any more. */
  readonly final: boolean;
  /** Where it was going, and where it came from; null when that was not recorded yet. */
  readonly forward: Moment | null;
  readonly back: Moment | null;
  /** Where the project was when its heir claimed it. */
  readonly current: Moment | null;
}

export type Decision = 'target' | 'abort' | 'back';

/** Where an operation goes and where it came from: what another run needs to finish it. */
export interface Directions {
  readonly forward: Moment;
  readonly back: Moment;
}

/** What an intent lacked: the exact point of each store. */
export interface CompletedCheckpoint {
  readonly checkpointId: CheckpointId;
  readonly lsn: Lsn;
  readonly sealed: boolean;
  readonly commit: CommitSha;
  readonly tree: TreeHash;
}

export interface Claim extends Fenced {
  /** Where the project is now; null before it has been provisioned. */
  readonly current: Moment | null;
  readonly abandoned: Abandoned | null;
  readonly name: string;
}

export interface MaterializedApp {
  readonly appId: AppId;
  readonly slug: string;
  readonly kind: AppKind;
  readonly name: string;
  readonly featureId: string;
}

export interface GenerationPlan {
  readonly revisionId: RevisionId;
  /** Apps that the revision declares and that have no live row yet (`$NEW:<featureId>`). */
  readonly creates: readonly MaterializedApp[];
  /** Catalog services that the revision adds. */
  readonly addsServices: readonly string[];
  /** Through the door `resume`: what an earlier run of the same revision finished. */
  readonly reuse: Reuse | null;
}

export interface Reuse {
  readonly operationId: OperationId;
  readonly apps: readonly AppId[];
}

export interface Bucket {
  readonly appId: AppId;
  readonly slug: string;
  readonly featureIds: readonly string[];
}

export interface CloseRequest {
  readonly projectId: ProjectId;
  readonly operationId: OperationId;
  readonly fence: number;
  readonly outcome: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

export interface RecordsActivities {
  ensureProject(input: { projectId: ProjectId; operationId: OperationId; name: string }): Promise<void>;
  claimOperation(input: { projectId: ProjectId; operationId: OperationId; kind: OperationKind; runId: string }): Promise<Claim>;
  /** The next fence for the same operation, so that a slow forward attempt cannot land after it. */
  raiseOperationFence(input: Fenced): Promise<{ fence: number }>;
  /** Resolves and refuses; with `record` also writes the snapshot's and the target's intents and both directions. */
  planRestore(
    input: { projectId: ProjectId; target: string; mode: RestoreMode; expect?: string; acceptDrift?: boolean; record?: Fenced },
  ): Promise<RestorePlan>;
  recordCheckpointIntent(
    input: FencedMoment & { kind: CheckpointKind; parentId: CheckpointId | null; declaredFrom: 'rows' | RevisionId; label?: string },
  ): Promise<void>;
  completeCheckpoint(input: Fenced & CompletedCheckpoint & { makeCurrent: boolean }): Promise<void>;
  voidCheckpoint(input: Fenced & { checkpointId: CheckpointId }): Promise<void>;
  /**
   * Compare-and-set none → target, in one transaction with the snapshot's completion, both directions and
   * the rows of the target; or none → abort. Returns what is stored.
   */
  decide(input: Fenced & { decision: 'target' | 'abort'; directions?: Directions; snapshot?: CompletedCheckpoint }): Promise<{ decision: Decision }>;
  /** target → back with the rows that the decision replaced; answers `target` once final. */
  decideBack(input: Fenced): Promise<{ decision: Decision }>;
  /** The rows of a moment: apps archived or reactivated, services, plan revision, position. */
  convergeRows(input: FencedMoment): Promise<void>;
  finalize(input: Fenced & { receipt: Receipt }): Promise<void>;
  closeOperation(input: CloseRequest): Promise<void>;
  planGeneration(input: Fenced & { revisionId?: RevisionId; resumes?: boolean }): Promise<GenerationPlan>;
  ensurePendingApp(input: Fenced & { app: MaterializedApp; revisionId: RevisionId }): Promise<void>;
  dropPendingApp(input: Fenced & { appId: AppId }): Promise<void>;
  /** Rewrites `$NEW:` to real ids in the revision's subtask rows. */
  resolveCreatesAppSentinels(input: Fenced & { revisionId: RevisionId }): Promise<void>;
  bucketPlan(input: Fenced & { revisionId: RevisionId }): Promise<readonly Bucket[]>;
  /** What a generation made before its decision: pending apps and services that no other revision declares. */
  pendingOf(input: Fenced): Promise<{ apps: readonly AppId[]; services: readonly string[] }>;
  archiveProject(input: Fenced): Promise<void>;
  readCurrentMoment(input: { projectId: ProjectId }): Promise<Moment>;
}

// ── code: git ────────────────────────────────────────────────────────────────────────────────

export interface CommitPoint {
  readonly commit: CommitSha;
  readonly tree: TreeHash;
}

/** What a check found, cut short: it travels through a history (I7). */
export interface CheckFinding {
  readonly kind: 'isolation' | 'type' | 'build';
  readonly file: string;
  readonly line: number;
  readonly message: string;
}

/** An attempt whose checks failed: what its producer is shown to mend it. */
export interface FailedAttempt {
  readonly attempt: number;
  readonly errors: readonly CheckFinding[];
}

export interface CodeActivities {
  ensureRepository(input: Fenced): Promise<CommitPoint>;
  /** HEAD, after a dirty worktree was committed. */
  commitDirty(input: Fenced & { reason: string }): Promise<CommitPoint & { committed: boolean }>;
  /** Writes one app's tree with its features and keeps it at `refs/adorable/run/<operation>/<app>`. */
  scaffoldApp(input: Fenced & { app: MaterializedApp }): Promise<void>;
  /** With `previous`, the producer mends that attempt's files; `canMend`: failed checks may come back here once more. */
  produceApp(input: Fenced & { bucket: Bucket; revisionId: RevisionId; previous?: FailedAttempt }): Promise<{ files: number; canMend: boolean }>;
  /** Isolation check, type-check and build in the scratch worktree; then the run ref is written. */
  checkApp(input: Fenced & { bucket: Bucket; attempt?: number }): Promise<CommitPoint>;
  /** Takes up another operation's checked result, where the app's tree is still what that one started from. */
  adoptResult(input: Fenced & { bucket: Bucket; from: OperationId }): Promise<{ point: CommitPoint | null }>;
  /** HEAD's tree + every bucket's tree + the new spec, as one commit that nothing serves yet. */
  composeCommit(input: Fenced & { buckets: readonly Bucket[]; revisionId: RevisionId }): Promise<CommitPoint>;
  /**
   * Lock, ref first, worktree follows: HEAD's tree becomes the moment's, in a commit that adds to
   * history; then the immutable checkouts that pods read are there, one for each app.
   */
  restoreVersion(input: FencedMoment): Promise<CommitPoint>;
  dropRun(input: Fenced): Promise<void>;
  readCode(input: { projectId: ProjectId }): Promise<CommitPoint & { clean: boolean }>;
  deleteRepository(input: Fenced): Promise<void>;
}

// ── data: timelines and the compute's SQL ────────────────────────────────────────────────────

export interface DataActivities {
  ensureTenant(input: Fenced & { tenantId: TenantId; timelineId: TimelineId }): Promise<void>;
  deleteTenant(input: Fenced & { tenantId: TenantId }): Promise<void>;
  forkBranch(input: Fenced & { source: RecordedMoment; newTimelineId: TimelineId }): Promise<void>;
  deleteFork(input: { projectId: ProjectId; tenantId: TenantId; timelineId: TimelineId }): Promise<void>;
  /** The endpoint's configuration: which timeline the compute serves, under which fence, to whom. */
  repointCompute(input: Fenced & { tenantId: TenantId; timelineId: TimelineId; logins: 'all' | 'admin' }): Promise<void>;
  sealTimeline(input: Fenced & { tenantId: TenantId; timelineId: TimelineId }): Promise<{ lsn: Lsn }>;
  unsealTimeline(input: Fenced & { tenantId: TenantId; timelineId: TimelineId }): Promise<void>;
  /** Autocommitted logical message: everything acknowledged before it is below the LSN. */
  emitCheckpointLsn(input: { projectId: ProjectId; checkpointId: CheckpointId; timelineId: TimelineId }): Promise<{ lsn: Lsn }>;
  pinMoment(input: { projectId: ProjectId; tenantId: TenantId; timelineId: TimelineId; checkpointId: CheckpointId; lsn: Lsn }): Promise<void>;
  unpinMoment(input: { projectId: ProjectId; tenantId: TenantId; timelineId: TimelineId; checkpointId: CheckpointId }): Promise<void>;
  ensureAppSchema(input: Fenced & { appId: AppId }): Promise<void>;
  dropAppSchema(input: Fenced & { appId: AppId }): Promise<void>;
  ensureServiceSchema(input: Fenced & { serviceId: string }): Promise<void>;
  dropServiceSchema(input: Fenced & { serviceId: string }): Promise<void>;
  /** Roles, verifiers and grants as the current secrets say, then every migration of the moment's tree that its apps lack, and their seeds where nobody was first. */
  convergeSchema(input: FencedMoment): Promise<{ applied: readonly string[] }>;
  /**
   * Runs every migration and seed that an app which is there already lacks on a throw-away fork of the given
   * moment, and answers their names; `BuildFailed` when one fails there. `created` are the apps that
   * this generation makes: theirs change no existing schema.
   */
  rehearseMigrations(input: Fenced & { moment: Moment; at: RecordedMoment; created: readonly AppId[] }): Promise<{ changes: readonly string[] }>;
  /** What the database itself says it serves. */
  proveServing(input: { projectId: ProjectId; timelineId: TimelineId }): Promise<{ pgTimelineId: number; proof: string }>;
}

// ── infra: the namespace ─────────────────────────────────────────────────────────────────────

export interface InfraResult {
  readonly created: number;
  readonly configured: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** Apps whose objects were torn down and catalog services deprovisioned, by name. */
  readonly tornDown: readonly string[];
  readonly deprovisioned: readonly string[];
}

export interface TierResult {
  readonly healthy: readonly string[];
  /** Deployment and its pod's own reason. */
  readonly degraded: readonly { readonly name: string; readonly reason: string }[];
}

export interface InfraActivities {
  /** Namespace with its fence raised to the operation's and proven: an older fence is refused. */
  ensureNamespace(input: Fenced): Promise<void>;
  /** Secrets of the project exist (generated once, kept encrypted). */
  ensureSecrets(input: Fenced & { moment: Moment }): Promise<void>;
  /** The compute alone, serving the moment's timeline; ready when PostgreSQL answers. */
  startCompute(input: FencedMoment): Promise<void>;
  /** The compute stopped cleanly and every pod gone, then its timeline sealed: no compute can attach to it, and its end is the LSN. */
  stopCompute(input: FencedMoment): Promise<{ lsn: Lsn }>;
  /**
   * Gateway drained and "restoring", apps and services at 0 and gone, SQL logins but ours refused; the
   * compute keeps running. With `computeNext` their pods may still be going: `stopCompute`, which
   * follows, waits for all.
   */
  freeze(input: FencedMoment & { computeNext: boolean }): Promise<void>;
  /**
   * Applies what the moment renders and prunes the rest (`reconcileAfterRestore`). New Deployments
   * get 0 replicas; running ones keep theirs when `keepRunning`, else all get 0.
   */
  convergeInfra(input: FencedMoment & { keepRunning: boolean }): Promise<InfraResult>;
  /** Starts Deployments tier by tier (`deployOrder`: `requires` and `readyCheck`), probing between tiers. */
  startTiers(input: FencedMoment): Promise<TierResult>;
  /** A service's declared step after its first health (Directus: collection, permission). */
  seedServices(input: Fenced & { services: readonly string[] }): Promise<void>;
  open(input: Fenced): Promise<void>;
  deleteNamespace(input: Fenced): Promise<void>;
}

// ── verify: reads every store back ───────────────────────────────────────────────────────────

export interface VerifyActivities {
  /** `running`: Deployments are compared with their replicas, else at rest. */
  verifyMoment(input: { projectId: ProjectId; moment: Moment; running: boolean }): Promise<Receipt>;
  /** Proves on a throw-away fork that a past moment is still restorable; changes nothing. */
  verifyCheckpoint(input: { projectId: ProjectId; checkpointId: string }): Promise<CheckpointProof>;
}

// ── sweep: what nothing refers to ───────────────────────────────────────────────────────────

export interface SweepActivities {
  listProjects(): Promise<readonly ProjectId[]>;
  /** Reads every store and decides what may go; takes no lock, changes nothing. */
  planSweep(input: { projectId: ProjectId }): Promise<SweepFindings>;
  /** Intents of closed operations; one that a live operation still works on is left alone. */
  voidIntents(input: Fenced & { checkpointIds: readonly CheckpointId[] }): Promise<void>;
  /** Served trees that no checkpoint, pod or HEAD needs; HEAD's is refused. */
  dropTrees(input: Fenced & { trees: readonly TreeHash[] }): Promise<void>;
}

// ── runs: Temporal's own view of an operation ────────────────────────────────────────────────

export interface RunsActivities {
  /** Ends the back-off of whatever the project's run and its children wait to try again; what is at work is left to it. */
  pushRun(input: { projectId: ProjectId }): Promise<void>;
}

export type Activities = RecordsActivities & CodeActivities & DataActivities & InfraActivities & VerifyActivities & RunsActivities;
