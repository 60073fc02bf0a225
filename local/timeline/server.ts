/**
 * The pageserver's timeline API over HTTP, with what an embedded platform adds to it: seals,
 * attachments and endpoint configurations. Work goes on when a client goes away, so repeating a
 * call is always the right reaction (I9).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseProjectId, parseTenantId, parseTimelineId } from '../../shared/ids.ts';
import { parseLsn } from '../../shared/lsn.ts';
import { AdorableError } from '../../shared/errors.ts';
import { errorFields, log } from '../log.ts';
import { computeToken, isBearer } from './access.ts';
import { Refusal, badRequest, notFound } from './answer.ts';
import type { Endpoints } from './endpoints.ts';
import type { Inspect } from './inspect.ts';
import type { StateStore } from './state.ts';
import type { Leases } from './throw-away.ts';
import type { Timelines } from './timelines.ts';

interface Call {
  readonly params: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Route {
  readonly method: string;
  readonly path: string;
  /** Also open to the compute of the project that the path's tenant belongs to. */
  readonly forCompute?: boolean;
  readonly handle: (call: Call) => Promise<readonly [number, unknown]> | readonly [number, unknown];
}

export interface ServerOptions {
  readonly store: StateStore;
  readonly timelines: Timelines;
  readonly endpoints: Endpoints;
  readonly inspect: Inspect;
  readonly leases: Leases;
  readonly token: string;
}

export function createTimelineServer(options: ServerOptions): Server {
  const routes = routesOf(options).map((route) => ({ ...route, parts: route.path.split('/') }));

  async function answer(request: IncomingMessage): Promise<readonly [number, unknown]> {
    const path = new URL(request.url ?? '/', 'http://timeline').pathname.split('/');
    if (path.join('/') === '/healthz') return [200, { ok: true }];
    const fitting = routes.flatMap((route) => {
      const params = match(route.parts, path);
      return params ? [{ route, params }] : [];
    });
    const found = fitting.find(({ route }) => route.method === request.method);
    const isPlatform = isBearer(request.headers.authorization, options.token);
    if (!isPlatform && !(found?.route.forCompute && isOwnCompute(options, request, found.params))) throw new Refusal(401, 'Denied', 'A valid bearer token is needed.');
    if (!found) throw fitting.length > 0 ? new Refusal(405, 'InvalidInput', 'This method is not allowed here.') : notFound('There is no such path.');
    return await found.route.handle({ params: found.params, body: await readBody(request) });
  }

  return createServer((request, response) => {
    answer(request).then(
      ([status, body]) => { send(response, status, body); },
      (error: unknown) => {
        const refusal = toRefusal(error);
        if (refusal.status >= 500) log('error', 'a timeline call failed', { method: request.method, path: request.url, ...errorFields(error) });
        send(response, refusal.status, { msg: refusal.message, type: refusal.type, details: refusal.details });
      },
    );
  });
}

function routesOf({ store, timelines, endpoints, inspect, leases }: ServerOptions): Route[] {
  const projectOfTenant = ({ params }: Call) => {
    const tenant = store.readTenant(parseTenantId(params['tenant']));
    if (!tenant) throw notFound(`There is no tenant ${String(params['tenant'])}.`);
    return tenant.projectId;
  };
  const ids = ({ params }: Call) => [parseTenantId(params['tenant']), parseTimelineId(params['timeline'])] as const;
  const point = (call: Call) => {
    const [tenantId, timelineId] = ids(call);
    return { tenantId, timelineId, lsn: parseLsn(call.body['lsn']) };
  };
  const project = ({ params }: Call) => parseProjectId(params['project']);
  const one = '/v1/tenant/:tenant/timeline/:timeline';
  return [
    // Answered at once whatever else is under way: who waits for a fork asks here whether it is worth waiting.
    { method: 'GET', path: '/v1/status', handle: () => [200, { id: 1 }] },
    {
      method: 'PUT', path: '/v1/tenant/:tenant/location_config',
      handle: async ({ params, body }) => {
        const conf = (body['tenant_conf'] ?? {}) as Record<string, unknown>;
        await timelines.ensureTenant(parseTenantId(params['tenant']), parseProjectId(conf['project_id']));
        return [200, { shards: [{ shard_id: params['tenant'], node_id: 1 }], stripe_size: null }];
      },
    },
    { method: 'DELETE', path: '/v1/tenant/:tenant', handle: async ({ params }) => { await timelines.deleteTenant(parseTenantId(params['tenant'])); return [200, {}]; } },
    {
      method: 'POST', path: '/v1/tenant/:tenant/timeline',
      handle: async ({ params, body }) => {
        const ancestor = body['ancestor_timeline_id'];
        const lsn = body['ancestor_start_lsn'];
        const from = ancestor === undefined ? undefined : { ancestor: parseTimelineId(ancestor), lsn: lsn === undefined ? undefined : parseLsn(lsn) };
        return [201, timelines.toInfo(await timelines.create(parseTenantId(params['tenant']), parseTimelineId(body['new_timeline_id']), from))];
      },
    },
    { method: 'GET', path: '/v1/tenant/:tenant/timeline', handle: ({ params }) => [200, timelines.list(parseTenantId(params['tenant']))] },
    { method: 'GET', path: one, handle: (call) => [200, timelines.describe(...ids(call))] },
    { method: 'DELETE', path: one, handle: async (call) => { await timelines.delete(...ids(call)); return [202, {}]; } },
    { method: 'PUT', path: `${one}/pin/:pin`, handle: async (call) => { await timelines.pin(...ids(call), pinId(call), parseLsn(call.body['lsn'])); return [200, {}]; } },
    { method: 'DELETE', path: `${one}/pin/:pin`, handle: async (call) => { await timelines.unpin(...ids(call), pinId(call)); return [200, {}]; } },
    { method: 'POST', path: `${one}/inspect`, handle: async (call) => [200, await inspect(point(call))] },
    { method: 'POST', path: `${one}/lease`, handle: async (call) => [201, await leases.open(point(call))] },
    { method: 'DELETE', path: '/v1/lease/:lease', handle: async ({ params }) => { await leases.close(params['lease'] ?? ''); return [200, {}]; } },
    { method: 'POST', path: `${one}/seal`, handle: async (call) => [200, { sealed: true, lsn: await timelines.seal(...ids(call), fenceOf(call)) }] },
    { method: 'POST', path: `${one}/unseal`, handle: async (call) => { await timelines.unseal(...ids(call), fenceOf(call)); return [200, { sealed: false }]; } },
    {
      method: 'POST', path: `${one}/attach`, forCompute: true,
      handle: async (call) => {
        const { compute, pid, start_time } = call.body;
        if (typeof compute !== 'string' || typeof pid !== 'number' || typeof start_time !== 'string') throw badRequest('A compute attaches with its name, pid and start time.');
        return [200, await timelines.attach(...ids(call), { compute, pid, startTime: start_time, fence: fenceOf(call) ?? 0 })];
      },
    },
    {
      method: 'POST', path: `${one}/base`, forCompute: true,
      handle: async (call) => {
        const { compute, folder, lsn } = call.body;
        if (typeof compute !== 'string' || typeof folder !== 'string' || !/^\.making-[0-9A-F]+-[0-9A-F]+$/.test(folder)) throw badRequest('A base names its compute and its folder.');
        await timelines.addBase(...ids(call), { compute, folder, lsn: parseLsn(lsn) });
        return [200, {}];
      },
    },
    {
      method: 'POST', path: `${one}/detach`, forCompute: true,
      handle: async (call) => { await timelines.detach(...ids(call), String(call.body['compute'])); return [200, {}]; },
    },
    { method: 'PUT', path: '/v1/endpoint/:project', handle: (call) => [200, endpoints.configure(project(call), call.body)] },
    { method: 'GET', path: '/v1/endpoint/:project', handle: (call) => [200, endpoints.read(project(call))] },
    { method: 'GET', path: '/v1/tenant/:tenant/endpoint', forCompute: true, handle: (call) => [200, endpoints.read(projectOfTenant(call))] },
    { method: 'POST', path: '/v1/tenant/:tenant/endpoint/next', forCompute: true, handle: async (call) => [200, await endpoints.next(projectOfTenant(call), call.body)] },
    { method: 'POST', path: '/v1/tenant/:tenant/endpoint/observed', forCompute: true, handle: (call) => { endpoints.observe(projectOfTenant(call), call.body); return [200, {}]; } },
  ];
}

function pinId({ params }: Call): string {
  if (!/^[\w.-]{1,80}$/.test(params['pin'] ?? '')) throw badRequest('A pin id is 1 to 80 letters, digits, dots, dashes or underscores.');
  return params['pin'] ?? '';
}

function fenceOf({ body }: Call): number | undefined {
  const fence = body['fence'];
  if (fence === undefined) return undefined;
  if (typeof fence !== 'number' || !Number.isSafeInteger(fence)) throw badRequest('A fence is an integer.');
  return fence;
}

function isOwnCompute({ store, token }: ServerOptions, request: IncomingMessage, params: Readonly<Record<string, string>>): boolean {
  const tenant = store.readTenant(parseTenantId(params['tenant']));
  return tenant !== undefined && isBearer(request.headers.authorization, computeToken(token, tenant.projectId));
}

function match(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== path.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of pattern.entries()) {
    const given = path[index] ?? '';
    if (part.startsWith(':')) params[part.slice(1)] = given;
    else if (part !== given) return undefined;
  }
  return params;
}

async function readBody(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk;
    if (text.length > 65_536) throw badRequest('The body is too large.');
  }
  if (text === '') return {};
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  } catch (cause) {
    throw new AdorableError('InvalidInput', 'The body is not JSON.', { cause });
  }
  throw badRequest('The body is not a JSON object.');
}

function toRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof AdorableError) return new Refusal(error.type === 'InvalidInput' ? 400 : 500, error.type, error.message, error.details);
  return new Refusal(500, 'Unavailable', error instanceof Error ? error.message : String(error));
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
