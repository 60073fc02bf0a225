/**
 * What a restore will do (`RestorePlan`) and what it was proven to have done (`Receipt`).
 */
import type { CheckpointId, TimelineId } from '../ids.ts';
import type { CheckpointKind, RecordedMoment, RestoreMode } from '../moment.ts';

export interface AppRef {
  readonly id: string;
  readonly slug: string;
}

export interface RestorePlan {
  readonly mode: RestoreMode;
  readonly current: RecordedMoment;
  readonly target: RecordedMoment;
  readonly targetKind: CheckpointKind;
  /** Checkpoint of what the target is an alias of, when a restore left it. */
  readonly archiveApps: readonly AppRef[];
  readonly reactivateApps: readonly AppRef[];
  readonly archiveRevisions: number;
  readonly reactivateRevision: string | null;
  readonly deprovisionServices: readonly string[];
  readonly reprovisionServices: readonly string[];
  readonly notCovered: readonly string[];
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
  readonly digest: string;
  readonly differences: readonly Difference[];
}
