/** What the code activities need from elsewhere: one method each, so that a test has a two-line fake. */
import type { CommitSha, OperationId, ProjectId, RevisionId, TreeHash } from '../../shared/ids.ts';
import type { CodeActivities, FailedAttempt } from '../../shared/ports.ts';
import type { AppKind, Declared } from '../../shared/spec/declared.ts';
import type { ProjectSpec } from '../../shared/spec/project-spec.ts';
import type { ProducerContext } from '../context/gather-context.ts';

export interface Feature {
  readonly id: string;
  readonly title: string;
  readonly blueprint: string;
  /** What it does to an app that is there; null, or left out, for the blueprint that makes it. */
  readonly change?: string | null;
  /** Of a feature that the model writes. */
  readonly brief?: string | null;
  readonly subtasks?: readonly string[];
}

export interface ProduceRequest {
  /** Whose budget is spent. */
  readonly operationId: OperationId;
  readonly feature: Feature;
  readonly appSlug: string;
  readonly appName: string;
  readonly appKind: AppKind;
  /** The app's own directory; nothing outside it may be written. It holds what the app is so far. */
  readonly intoDir: string;
  /** What may be known of the project: names of every app, the text of this one alone. */
  readonly context: ProducerContext;
  /** Ends when its activity would be given up: what runs on is stopped before that, and says so. */
  readonly inTime?: AbortSignal;
  /** The attempt that `intoDir` holds and what its checks found; only for a feature that can be mended. */
  readonly previous?: FailedAttempt;
}

export interface CheckRequest {
  /** Holds `apps/<slug>` with its `node_modules` in place. */
  readonly scratchDir: string;
  readonly slug: string;
  readonly attempt: number;
}

export interface Producer {
  /** Whether another attempt could end otherwise: one that would write the same bytes again says no, and its bucket fails at once. */
  canMend(feature: Feature): boolean;
  produce(request: ProduceRequest): Promise<unknown>;
  /** Throws `IsolationViolated` or `BuildFailed` with the first `CheckFinding`s as `errors` in its details. */
  check(request: CheckRequest): Promise<unknown>;
}

export interface CodeRecords {
  featuresOf(revisionId: RevisionId, featureIds: readonly string[]): Promise<readonly Feature[]>;
  /** The declared state as it will be once this revision is live. */
  declaredAfter(revisionId: RevisionId): Promise<Declared>;
}

export interface CodeDeps {
  /** `DATA/projects` */
  readonly projectsDir: string;
  readonly producer: Producer;
  /** How often one bucket may be produced and checked before it fails. */
  readonly produceAttempts: number;
  readonly records: CodeRecords;
  /** The installed, shared dependencies of a lockfile: an absolute `…/node_modules`. */
  ensureDeps(lockfilePath: string): Promise<string>;
  /** When the operation was claimed: the date of every commit it makes. */
  operationTime(operationId: OperationId): Promise<Date>;
}

export interface AppDiff {
  /** Directory below `apps/`; empty for files that belong to no app. */
  readonly app: string;
  readonly added: number;
  readonly changed: number;
  readonly deleted: number;
  /** At most 200, each with what happens to it. */
  readonly files: readonly { readonly path: string; readonly change: 'added' | 'changed' | 'deleted' }[];
}

export interface CommitLine {
  readonly sha: CommitSha;
  readonly subject: string;
}

/** The port's activities and the reads that plans, verification and the platform need beside them. */
export interface CodeStore extends CodeActivities {
  serveApps(input: { projectId: ProjectId; tree: TreeHash }): Promise<readonly string[]>;
  writePlanSpec(input: { projectId: ProjectId; revisionId: RevisionId; document: unknown }): Promise<{ commit: CommitSha }>;
  readPlanSpec(input: { projectId: ProjectId; revisionId: RevisionId; commit?: CommitSha }): Promise<{ commit: CommitSha; document: unknown }>;
  readSpecAt(input: { projectId: ProjectId; commit: CommitSha }): Promise<ProjectSpec>;
  diffTrees(input: { projectId: ProjectId; from: string; to: string }): Promise<readonly AppDiff[]>;
  commitsBetween(input: { projectId: ProjectId; from: CommitSha; to: CommitSha }): Promise<readonly CommitLine[]>;
}
