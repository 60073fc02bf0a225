/**
 * What a fake store holds, as plain values: a tree is its files, a commit its tree and parent, a
 * timeline its log. Trees and commits are named by what they are, as git names them.
 */
import { createHash } from 'node:crypto';
import type { AppId, CheckpointId, CommitSha, OperationId, TimelineId, TreeHash } from '../../../shared/ids.ts';
import { lsnValue } from '../../../shared/lsn.ts';
import type { Lsn } from '../../../shared/lsn.ts';
import type { CheckpointKind, Moment, OperationKind } from '../../../shared/moment.ts';
import type { Decision } from '../../../shared/ports.ts';
import type { SchemaMark } from '../../../shared/restore/schema-changes.ts';

/** Path → content. */
export type Files = Readonly<Record<string, string>>;

const sha = (text: string): string => createHash('sha1').update(text).digest('hex');

export function treeOf(files: Files): TreeHash {
  return sha(JSON.stringify(Object.entries(files).sort())) as TreeHash;
}

/** Fixed dates and an operation trailer: a repeat makes the same commit (I9). */
export function commitOf(tree: TreeHash, parent: CommitSha | null, operationId: OperationId | null): CommitSha {
  return sha([tree, parent, operationId].join()) as CommitSha;
}

export interface Commit {
  readonly tree: TreeHash;
  readonly parent: CommitSha | null;
}

export type Entry =
  | { readonly at: Lsn; readonly does: 'create' | 'drop'; readonly schema: AppId }
  | { readonly at: Lsn; readonly does: 'migrate'; readonly schema: AppId; readonly name: string }
  | { readonly at: Lsn; readonly does: 'write'; readonly schema: AppId; readonly row: number };

export interface Timeline {
  readonly log: Entry[];
  /** What its schemas were changed under last. */
  fence: number;
}

export interface Replayed {
  readonly schemas: readonly AppId[];
  readonly marks: readonly SchemaMark[];
  readonly rows: readonly number[];
  rowsOf(schema: AppId): readonly number[];
}

/** What a database that replayed a log answers. */
export function replay(log: readonly Entry[]): Replayed {
  const schemas = new Map<AppId, { marks: SchemaMark[]; rows: number[] }>();
  for (const entry of log) {
    if (entry.does === 'create') schemas.set(entry.schema, { marks: [], rows: [] });
    if (entry.does === 'drop') schemas.delete(entry.schema);
    if (entry.does === 'migrate') schemas.get(entry.schema)?.marks.push({ owner: entry.schema, name: entry.name, checksum: entry.name });
    if (entry.does === 'write') schemas.get(entry.schema)?.rows.push(entry.row);
  }
  return { schemas: [...schemas.keys()].sort(), marks: [...schemas.values()].flatMap(({ marks }) => marks), rows: [...schemas.values()].flatMap(({ rows }) => rows).sort((a, b) => a - b), rowsOf: (schema) => schemas.get(schema)?.rows ?? [] };
}

/** A copy-on-write fork: what lies below the LSN, and nothing else. */
export const below = (log: readonly Entry[], lsn: Lsn): Entry[] => log.filter(({ at }) => lsnValue(at) < lsnValue(lsn));

export interface AppRow {
  readonly id: AppId;
  readonly slug: string;
  state: 'pending' | 'live';
  archived: boolean;
  operationId: OperationId | null;
}

/** What a moment declares: the ids of its apps. */
export type DeclaredApps = readonly AppId[];

export interface CheckpointRow extends Moment {
  readonly operationId: OperationId | null;
  readonly kind: CheckpointKind;
  readonly parentId: CheckpointId | null;
  readonly aliasOf: CheckpointId | null;
  readonly apps: DeclaredApps;
  readonly commit: CommitSha;
  readonly tree: TreeHash;
  readonly status: 'intent' | 'complete' | 'void';
  readonly lsn: Lsn | null;
  readonly sealed: boolean;
  readonly marks: readonly SchemaMark[] | null;
}

/** What `decide` replaced. */
export interface Before {
  readonly position: CheckpointId | null;
  readonly timelineId: TimelineId | null;
  readonly redoStack: readonly CheckpointId[];
}

export interface OperationRow {
  readonly kind: OperationKind;
  runId: string;
  decision: Decision | null;
  final: boolean;
  outcome: string | null;
  forward: Moment | null;
  back: Moment | null;
  before: Before | null;
  restore: { readonly redo: boolean; readonly snapshotId: CheckpointId } | null;
}
