/**
 * Refusals of the timeline API: HTTP status, our failure type and one sentence, in the pageserver's
 * error body (`{"msg": …}`) plus `type`, so that one driver reads both servers.
 */
import type { FailureType } from '../../shared/errors.ts';

export class Refusal extends Error {
  readonly status: number;
  readonly type: FailureType;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(status: number, type: FailureType, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = type;
    this.status = status;
    this.type = type;
    this.details = details;
  }
}

export const badRequest = (message: string) => new Refusal(400, 'InvalidInput', message);
export const notFound = (message: string) => new Refusal(404, 'NotFound', message);
export const unusableLsn = (message: string) => new Refusal(406, 'Unreachable', message);
export const conflict = (message: string, details?: Readonly<Record<string, unknown>>) =>
  new Refusal(409, 'OwnershipConflict', message, details);
export const staleFence = (given: number, stored: number) =>
  new Refusal(409, 'StaleFence', `Fence ${String(given)} is older than ${String(stored)}: a newer operation owns this project.`, { given, stored });
export const preconditionFailed = (message: string, details?: Readonly<Record<string, unknown>>) =>
  new Refusal(412, 'PreconditionFailed', message, details);
/** Mends itself when the compute or fork that is in the way has ended: a caller may simply repeat. */
export const inTheWay = (status: 409 | 412, message: string) => new Refusal(status, 'Contended', message);
