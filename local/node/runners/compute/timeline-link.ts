/** The compute's side of the timeline server: attach, detach, the endpoint's configuration. */
import { readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';

export interface Attached {
  readonly pgdata: string;
  readonly walArchive: string;
  readonly pgTimelineId: number;
  readonly bases: string;
  readonly lastBaseLsn: string;
  /** Another base is wanted once this much WAL, or a quarter of the database, followed the last one. */
  readonly baseAfterBytes: number;
}

export interface EndpointConfig {
  readonly timeline_id: string;
  readonly fence: number;
  readonly logins: 'all' | 'admin';
}

export class Refused extends Error {}

export interface LinkOptions {
  readonly server: string;
  readonly token: string;
  readonly tenantId: string;
  readonly timelineId: string;
  readonly compute: string;
}

export function createTimelineLink({ server, token, tenantId, timelineId, compute }: LinkOptions) {
  const timeline = `/v1/tenant/${tenantId}/timeline/${timelineId}`;
  const endpoint = `/v1/tenant/${tenantId}/endpoint`;
  const next = `${endpoint}/next`;

  async function call(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${server}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(15_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json() as { msg?: string; type?: string };
    if (response.status === 404 && (path === endpoint || path === next)) return undefined;
    if (response.status >= 400 && response.status < 500) throw new Refused(`${answer.type ?? String(response.status)}: ${answer.msg ?? 'refused'}`);
    if (!response.ok) throw new Error(`The timeline server answered ${String(response.status)}: ${answer.msg ?? ''}`);
    return answer;
  }

  return {
    readEndpoint: async () => await call('GET', endpoint) as EndpointConfig | undefined,
    /** Answers when the configuration is no longer what was seen, or after some seconds. */
    nextEndpoint: async (seen: EndpointConfig | undefined) => await call('POST', next, { timeline_id: seen?.timeline_id, logins: seen?.logins }) as EndpointConfig | undefined,
    attach: async (fence: number) => await call('POST', `${timeline}/attach`, { compute, fence, pid: process.pid, start_time: ownStartTime() }) as Attached,
    recordBase: async (base: { folder: string; lsn: string }) => { await call('POST', `${timeline}/base`, { compute, ...base }); },
    detach: async () => { await call('POST', `${timeline}/detach`, { compute }); },
    reportLogins: async (logins: 'all' | 'admin') => { await call('POST', `${endpoint}/observed`, { compute, timeline_id: timelineId, logins }); },
  };
}

/** Reads as `local/process-identity.ts` does, since the server compares the two. */
function ownStartTime(): string {
  if (process.platform !== 'linux') return execFileSync('ps', ['-o', 'lstart=', '-p', String(process.pid)], { encoding: 'utf8' }).trim();
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
