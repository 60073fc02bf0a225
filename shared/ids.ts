/**
 * Branded ids. A value from outside becomes one only through its parser, once, at the edge;
 * everything inside trusts the brand. All of them are safe as file, SQL role and object names.
 */
import { AdorableError } from './errors.ts';

declare const brand: unique symbol;
type Brand<Name extends string> = string & { readonly [brand]: Name };

export type ProjectId = Brand<'ProjectId'>;
export type AppId = Brand<'AppId'>;
export type OperationId = Brand<'OperationId'>;
export type CheckpointId = Brand<'CheckpointId'>;
export type RevisionId = Brand<'RevisionId'>;
export type TenantId = Brand<'TenantId'>;
export type TimelineId = Brand<'TimelineId'>;
export type CommitSha = Brand<'CommitSha'>;
export type TreeHash = Brand<'TreeHash'>;

function parser<T extends string>(noun: string, shape: RegExp, example: string) {
  return (value: unknown): T => {
    if (typeof value === 'string' && shape.test(value)) return value as T;
    const shown = typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : typeof value;
    throw new AdorableError('InvalidInput', `${shown} is not a ${noun}: one looks like ${example}.`);
  };
}

export const parseProjectId = parser<ProjectId>('project id', /^[a-z][a-z0-9]{9}$/, 'qiwykfu39n');
export const parseAppId = parser<AppId>('app id', /^a_[a-z0-9]{12}$/, 'a_8f2kq01mzt4c');
export const parseOperationId = parser<OperationId>('operation id', /^op_[a-z0-9]{12}$/, 'op_8f2kq01mzt4c');
export const parseCheckpointId = parser<CheckpointId>('checkpoint id', /^cp_[a-z0-9]{12}$/, 'cp_8f2kq01mzt4c');
export const parseRevisionId = parser<RevisionId>('plan revision id', /^rev_[a-z0-9]{12}$/, 'rev_8f2kq01mzt4c');
export const parseTenantId = parser<TenantId>('tenant id', /^[0-9a-f]{32}$/, '32 hex digits');
export const parseTimelineId = parser<TimelineId>('timeline id', /^[0-9a-f]{32}$/, '32 hex digits');
export const parseCommitSha = parser<CommitSha>('commit', /^[0-9a-f]{40}$/, '40 hex digits');
export const parseTreeHash = parser<TreeHash>('tree hash', /^[0-9a-f]{40}$/, '40 hex digits');
