/**
 * Ids that follow from what they stand for, so that a repeated step gives the same one (I9).
 * FNV-1a over UTF-16 code units in four lanes: no crypto module exists in the workflow sandbox,
 * and these ids need to be distinct and stable, not unguessable.
 */
import type { AppId, CheckpointId, OperationId, ProjectId, RevisionId, TenantId, TimelineId } from './ids.ts';

const PRIME = 0x100000001b3n;
const MASK = (1n << 64n) - 1n;

function fnv64(text: string, seed: bigint): bigint {
  let hash = 0xcbf29ce484222325n ^ seed;
  for (let i = 0; i < text.length; i++) {
    hash = ((hash ^ BigInt(text.charCodeAt(i))) * PRIME) & MASK;
  }
  // Final avalanche (splitmix64's), since FNV's high bits barely depend on the last characters.
  hash = ((hash ^ (hash >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  hash = ((hash ^ (hash >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return hash ^ (hash >> 31n);
}

function digits(parts: readonly string[]): { hex: string; base36: string } {
  const text = parts.map((part) => `${part.length}:${part}`).join('|');
  const value = (fnv64(text, 0n) << 64n) | fnv64(text, 0x9e3779b97f4a7c15n);
  return { hex: value.toString(16).padStart(32, '0'), base36: value.toString(36).padStart(25, '0').slice(-12) };
}

/** The fork that one operation makes: the same on every attempt. */
export function forkTimelineId(operation: OperationId): TimelineId {
  return digits(['fork', operation]).hex as TimelineId;
}

export function tenantIdOf(project: ProjectId): TenantId {
  return digits(['tenant', project]).hex as TenantId;
}

export function firstTimelineId(project: ProjectId): TimelineId {
  return digits(['timeline', project]).hex as TimelineId;
}

/** The checkpoint that one operation records in one role (`pre-restore`, `target`, `pre-generation`, …). */
export function operationCheckpointId(operation: OperationId, role: string): CheckpointId {
  return `cp_${digits(['checkpoint', operation, role]).base36}` as CheckpointId;
}

/** The operation that a sweep's run is on one project. */
export function sweepOperationId(runId: string, project: ProjectId): OperationId {
  return `op_${digits(['sweep', runId, project]).base36}` as OperationId;
}

/** An app's real id follows from (project, revision, feature): a repeated materialization finds its own row. */
export function materializedAppId(project: ProjectId, revision: RevisionId, feature: string): AppId {
  return `a_${digits(['app', project, revision, feature]).base36}` as AppId;
}

/** A short stable digest of JSON-plain text, for `--expect` and the like. */
export function shortDigest(text: string): string {
  return digits(['digest', text]).hex.slice(0, 16);
}
