/**
 * The one driver of timelines: the embedded timeline server and a real pageserver answer the same
 * calls. What only the embedded one has (seals, pins as claims, endpoints) is marked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AdorableError, isFailureType, type FailureType } from '../../shared/errors.ts';
import type { ProjectId, TenantId, TimelineId } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import type { PreparedTransaction } from '../../shared/restore/open-transactions.ts';
import type { Counted } from '../../shared/restore/row-changes.ts';

export interface TimelineInfo {
  readonly timeline_id: TimelineId;
  readonly ancestor_timeline_id?: TimelineId;
  readonly ancestor_lsn?: Lsn;
  readonly last_record_lsn?: Lsn;
  readonly min_readable_lsn: Lsn;
  /** Embedded: the PostgreSQL timeline number that a compute on it must report. */
  readonly pg_timeline_id: number;
  readonly system_identifier: string;
  readonly sealed: boolean;
  readonly created_at?: string;
  readonly attached: { readonly compute: string; readonly fence: number } | null;
  readonly pins: Readonly<Record<string, Lsn>>;
}

export interface EndpointConfig {
  readonly tenant_id: TenantId;
  readonly timeline_id: TimelineId;
  readonly fence: number;
  readonly logins: 'all' | 'admin';
}

export interface EndpointState extends EndpointConfig {
  readonly observed?: { readonly compute: string; readonly timeline_id: TimelineId; readonly logins: 'all' | 'admin' };
}

export interface Inspected {
  readonly tables: readonly Counted[];
  readonly prepared: readonly PreparedTransaction[];
}

export interface TimelineClientOptions {
  readonly url: string;
  readonly token: string;
  /** How long a call may be silent before the server is asked whether it lives, and how long that answer may take. */
  readonly silenceMs?: number;
}

const SILENCE_MS = 5_000;
/** So many unanswered questions in a row: a machine that is busy misses one. */
const MISSES = 2;

const TYPE_OF_STATUS: Readonly<Record<number, FailureType>> = {
  400: 'InvalidInput', 401: 'Denied', 403: 'Denied', 404: 'NotFound', 406: 'Unreachable', 408: 'Unavailable', 409: 'OwnershipConflict', 412: 'PreconditionFailed', 429: 'RateLimited',
};

export function createTimelineClient({ url, token, silenceMs = SILENCE_MS }: TimelineClientOptions) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };

  /**
   * A fork may take as long as its data is large, a server that hangs may not: while a call is
   * silent, the server is asked whether it lives, and the call ends when it no longer says so.
   */
  async function watch(call: AbortController, ended: AbortSignal): Promise<void> {
    for (let missed = 0; missed < MISSES; ) {
      await sleep(silenceMs, undefined, { signal: ended });
      const alive = await fetch(`${url}/v1/status`, { headers, signal: AbortSignal.any([ended, AbortSignal.timeout(silenceMs)]) }).then(async (answer) => { await answer.text(); return true; }, () => false);
      missed = alive ? 0 : missed + 1;
    }
    call.abort();
  }

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const silent = new AbortController();
    const ended = new AbortController();
    watch(silent, ended.signal).catch(() => undefined); // The call has ended: nobody waits any more.
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}${path}`, { method, headers, signal: silent.signal, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
      text = await response.text();
    } catch (cause) {
      const how = silent.signal.aborted ? 'hangs: it answers neither' : 'does not answer';
      throw new AdorableError('Unavailable', `The timeline server at ${url} ${how} ${method} ${path}${silent.signal.aborted ? ' nor whether it lives' : ''}.`, { cause });
    } finally {
      ended.abort();
    }
    const answer = parse(text);
    if (response.ok) return answer;
    const { msg, type, details } = (answer ?? {}) as { msg?: string; type?: string; details?: Record<string, unknown> };
    throw new AdorableError(
      isFailureType(type) ? type : (TYPE_OF_STATUS[response.status] ?? 'Unavailable'),
      msg ?? `${method} ${path} answered ${String(response.status)}.`,
      { details: { ...details, status: response.status } },
    );
  }

  /** Absent is success for a delete. */
  async function remove(path: string): Promise<void> {
    try {
      await call('DELETE', path);
    } catch (error) {
      if (!(error instanceof AdorableError && error.type === 'NotFound')) throw error;
    }
  }

  const tenant = (id: TenantId) => `/v1/tenant/${id}`;
  const timeline = (tenantId: TenantId, id: TimelineId) => `${tenant(tenantId)}/timeline/${id}`;

  return {
    ensureTenant: async (tenantId: TenantId, projectId: ProjectId) => {
      await call('PUT', `${tenant(tenantId)}/location_config`, { mode: 'AttachedSingle', generation: 1, tenant_conf: { project_id: projectId } });
    },
    deleteTenant: async (tenantId: TenantId) => { await remove(tenant(tenantId)); },
    bootstrapTimeline: async (tenantId: TenantId, newTimelineId: TimelineId) =>
      await call('POST', `${tenant(tenantId)}/timeline`, { new_timeline_id: newTimelineId, pg_version: 17 }) as TimelineInfo,
    branchTimeline: async (tenantId: TenantId, newTimelineId: TimelineId, from: { ancestor: TimelineId; lsn: Lsn }) => {
      const info = await call('POST', `${tenant(tenantId)}/timeline`, {
        new_timeline_id: newTimelineId, ancestor_timeline_id: from.ancestor, ancestor_start_lsn: from.lsn,
      }) as TimelineInfo;
      // A pageserver makes an EMPTY timeline of a request whose ancestor it did not understand.
      if (info.ancestor_timeline_id !== from.ancestor || info.ancestor_lsn === undefined) {
        throw new AdorableError('InvariantViolated', `Timeline ${newTimelineId} was not forked from ${from.ancestor}.`);
      }
      return info;
    },
    readTimeline: async (tenantId: TenantId, id: TimelineId) => await call('GET', timeline(tenantId, id)) as TimelineInfo,
    listTimelines: async (tenantId: TenantId) => await call('GET', `${tenant(tenantId)}/timeline`) as TimelineInfo[],
    deleteTimeline: async (tenantId: TenantId, id: TimelineId) => { await remove(timeline(tenantId, id)); },
    pin: async (tenantId: TenantId, id: TimelineId, claim: { pin: string; lsn: Lsn }) => {
      await call('PUT', `${timeline(tenantId, id)}/pin/${encodeURIComponent(claim.pin)}`, { lsn: claim.lsn });
    },
    unpin: async (tenantId: TenantId, id: TimelineId, pin: string) => { await remove(`${timeline(tenantId, id)}/pin/${encodeURIComponent(pin)}`); },
    seal: async (tenantId: TenantId, id: TimelineId, fence?: number) => await call('POST', `${timeline(tenantId, id)}/seal`, { fence }) as { sealed: true; lsn: Lsn },
    unseal: async (tenantId: TenantId, id: TimelineId, fence?: number) => { await call('POST', `${timeline(tenantId, id)}/unseal`, { fence }); },
    /** Embedded: rows per table and transactions in doubt at an LSN, read on a throw-away fork that nothing else can reach. */
    inspect: async (tenantId: TenantId, id: TimelineId, lsn: Lsn) => await call('POST', `${timeline(tenantId, id)}/inspect`, { lsn }) as Inspected,
    /** Embedded: a throw-away fork at an LSN, open to every role through a local socket until it is closed or its time is over. */
    openLease: async (tenantId: TenantId, id: TimelineId, lsn: Lsn) => await call('POST', `${timeline(tenantId, id)}/lease`, { lsn }) as { lease: string; host: string },
    closeLease: async (lease: string) => { await remove(`/v1/lease/${lease}`); },
    configureEndpoint: async (projectId: ProjectId, config: EndpointConfig) => await call('PUT', `/v1/endpoint/${projectId}`, config) as EndpointState,
    readEndpoint: async (projectId: ProjectId) => await call('GET', `/v1/endpoint/${projectId}`) as EndpointState,
  };
}

export type TimelineClient = ReturnType<typeof createTimelineClient>;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // A proxy's page instead of an answer: the status alone speaks.
  }
}
