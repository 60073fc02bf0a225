/**
 * What `converge` is given: one moment, named by a checkpoint, on the timeline that serves it.
 * After a restore that timeline is a fork; for the running project it is the current one.
 */
import type { CheckpointId, CommitSha, OperationId, ProjectId, TenantId, TimelineId, TreeHash } from './ids.ts';
import type { Lsn } from './lsn.ts';

export type OperationKind = 'provision' | 'generate' | 'restore' | 'delete' | 'recover' | 'bookmark' | 'sweep';
export type CheckpointKind = 'provisioned' | 'generated' | 'pre-generation' | 'pre-restore' | 'manual';
export type RestoreMode = 'all' | 'data' | 'code';

/** One operation's right to write: every store refuses it once a newer fence exists. */
export interface Fenced {
  readonly projectId: ProjectId;
  readonly operationId: OperationId;
  readonly fence: number;
}

export interface Moment {
  readonly checkpointId: CheckpointId;
  readonly commit: CommitSha;
  readonly tree: TreeHash;
  readonly tenantId: TenantId;
  readonly timelineId: TimelineId;
}

/** A moment together with where its data can be forked from. */
export interface RecordedMoment extends Moment {
  readonly lsn: Lsn;
  /** Its timeline is sealed at `lsn`: a fork is a clone of the stopped directory. */
  readonly sealed: boolean;
}

export interface FencedMoment extends Fenced {
  readonly moment: Moment;
}
