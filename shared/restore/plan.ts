/**
 * What a restore will do (`RestorePlan`) and what it was proven to have done (`Receipt`).
 */
import type { CheckpointId, TimelineId } from '../ids.ts';
import type { Lsn } from '../lsn.ts';
import type { CheckpointKind, Moment, RecordedMoment, RestoreMode } from '../moment.ts';
import type { RevivedCredential } from './revived-credentials.ts';
import type { SchemaChange } from './schema-changes.ts';

export interface AppRef {
  readonly id: string;
  readonly slug: string;
}

export interface CodeChange {
  /** Commits that stay in history but leave HEAD's tree. */
  readonly commitsLeft: number;
  readonly apps: readonly { readonly slug: string; readonly added: number; readonly changed: number; readonly deleted: number }[];
}

/** Rows of one table now and at the target; null where the table does not exist. */
export interface RowChange {
  readonly table: string;
  /** As people know it: with the app's slug for its schema. */
  readonly label: string;
  readonly now: number | null;
  readonly then: number | null;
}

/** `Kind/name` of what a restore does to the namespace. */
export interface ObjectChanges {
  readonly created: readonly string[];
  readonly configured: readonly string[];
  readonly deleted: readonly string[];
}

export interface RestorePlan {
  readonly mode: RestoreMode;
  readonly current: Moment;
  readonly target: RecordedMoment;
  readonly targetKind: CheckpointKind;
  /** Taken from the redo stack rather than added to it. */
  readonly redo: boolean;
  readonly archiveApps: readonly AppRef[];
  readonly reactivateApps: readonly AppRef[];
  readonly archiveRevisions: number;
  readonly reactivateRevision: string | null;
  readonly deprovisionServices: readonly string[];
  readonly reprovisionServices: readonly string[];
  /** Schema changes between here and the target, by name (`migrationsSince`). */
  readonly schemaChanges: readonly SchemaChange[];
  /** Credentials of that time in the branch; they are re-asserted as they are now before anybody connects. */
  readonly revives: readonly RevivedCredential[];
  /** State that a restore does not cover, in words. */
  readonly notCovered: readonly string[];
  /** What the restore will meet and what it does about it, in words: objects of others, open transactions, a database that does not answer. */
  readonly noticed: readonly string[];
  /** Counted for previews only. */
  readonly code?: CodeChange;
  readonly rows?: readonly RowChange[];
  readonly objects?: ObjectChanges;
  /** Binds the plan to what was seen: target, HEAD, timeline, fence. */
  readonly digest: string;
}

export interface Difference {
  readonly store: 'git' | 'timeline' | 'rows' | 'namespace';
  readonly what: string;
  readonly expected: string;
  readonly found: string;
}

export interface Receipt {
  readonly checkpointId: CheckpointId;
  readonly ok: boolean;
  readonly commit: string;
  readonly tree: string;
  readonly timelineId: TimelineId;
  /** The database's own words: its PostgreSQL timeline number and system identifier. */
  readonly pgTimelineId: number;
  readonly systemIdentifier: string;
  readonly apps: readonly string[];
  readonly services: readonly string[];
  /** `Kind/name` of each live object with its UID, digested. */
  readonly objects: number;
  readonly objectsDigest: string;
  readonly declaredDigest: string;
  /** Version of each secret in use: credentials do not rewind. */
  readonly secretVersions?: Readonly<Record<string, number>>;
  /**
   * Equal for equal moments: tree, data, declared state and rendered manifests, without ids of
   * checkpoints, timelines or objects. It reads every row, so only a `verify` on request has it.
   */
  readonly momentDigest?: string;
  readonly digest: string;
  readonly differences: readonly Difference[];
  /** What is there and is no difference, in words: objects of others, transactions in doubt. */
  readonly noticed: readonly string[];
  /** What is stored besides what is derived, and has come to differ: no failure, since nobody trusts it. */
  readonly drift?: readonly Difference[];
}

/** What shows that a past moment can still be restored, read without restoring it. */
export interface CheckpointProof {
  readonly checkpointId: CheckpointId;
  readonly ok: boolean;
  readonly commit: string;
  readonly tree: string;
  readonly timelineId: TimelineId;
  readonly lsn: Lsn;
  /** Objects that git holds of its tree; tables and rows that a throw-away fork at its LSN answered. */
  readonly objects: number;
  readonly tables: number;
  readonly rows: number;
  readonly apps: readonly string[];
  readonly services: readonly string[];
  readonly differences: readonly Difference[];
}
