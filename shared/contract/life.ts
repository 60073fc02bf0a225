/** `provisionProject`, `deleteProject`, `recoverProject` and `recordBookmark`: a project's life. */
import type { ProjectId } from '../ids.ts';
import type { OperationRequest } from './operation.ts';

export const PROVISION_PROJECT = 'provisionProject';
export const DELETE_PROJECT = 'deleteProject';
export const RECOVER_PROJECT = 'recoverProject';
export const RECORD_BOOKMARK = 'recordBookmark';
export const VERIFY_PROJECT = 'verifyProject';

export interface ProvisionRequest extends OperationRequest {
  readonly name: string;
}

export interface VerifyRequest {
  readonly projectId: ProjectId;
  /** A past moment; without it, the current one. */
  readonly checkpointId?: string;
}

export interface BookmarkRequest extends OperationRequest {
  readonly label: string;
}
