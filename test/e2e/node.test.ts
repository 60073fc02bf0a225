/** The process node and the gateway against a real control plane: what they claim is asked of the API, of HTTP and of /proc. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Pod } from '../../local/node/kube-types.ts';
import { mirrorOf } from '../../local/node/pod-addresses.ts';
import { scratchOf } from '../../local/node/pod-worker.ts';
import { groupAndDescendants, isSameProcess } from '../../local/node/process-table.ts';
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts';

const NS = 'adorable-e2e';
const WEB = `const http=require('http');const s=http.createServer((q,r)=>{
 if(q.url==='/env')return r.end(JSON.stringify({...process.env,UID:process.getuid()}));
 if(q.url==='/slow')return setTimeout(()=>r.end('slow done'),1500);
 r.setHeader('x-seen-host',q.headers['x-forwarded-host']||'');r.end('hello from '+process.env.HOSTNAME_LABEL)});
s.on('upgrade',(q,k)=>{k.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n\\r\\n');k.on('data',d=>k.write(d));k.on('error',()=>{})});
s.listen(Number(process.env.PORT),process.env.BIND||process.env.HOST);process.on('SIGTERM',()=>process.exit(0));`;

let plane: ControlPlane;
let node: ChildProcess;

beforeAll(async () => {
  plane = await startControlPlane();
  node = await plane.startPart('node');
  await plane.startPart('gateway');
  await apply('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NS, labels: { 'app.kubernetes.io/managed-by': 'adorable-runtime', 'adorable.dev/project': 'e2e' } } });
  await until(async () => (await get(`/api/v1/namespaces/${NS}/serviceaccounts/default`)) !== undefined);
}, 120_000);

afterAll(async () => { await plane?.stop(); }, 30_000);

async function apply(collection: string, body: { metadata: { name: string; [key: string]: unknown }; [key: string]: unknown }): Promise<void> {
  await plane.admin.request({ method: 'PATCH', path: `${collection}/${body.metadata.name}`, patch: 'application/apply-patch+yaml', query: { fieldManager: 'test', force: true }, body });
}

async function get<T>(path: string): Promise<T | undefined> {
  return await plane.admin.request<T>({ method: 'GET', path }).catch(() => undefined);
}

async function until<T>(check: () => Promise<T | undefined | false> | T | undefined | false, timeoutMs = 20_000): Promise<T> {
  for (const deadline = Date.now() + timeoutMs; ; await sleep(25)) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not reached in ${String(timeoutMs)} ms: ${check.toString()}`);
  }
}

const program = (code: string, more: Partial<Container> = {}): Container =>
  ({ name: 'main', image: 'adorable.dev/process:1', command: [plane.platform.engines.node, '-e', code], ...more });

async function run(name: string, container: Container, spec: Record<string, unknown> = {}): Promise<void> {
  await apply(`/api/v1/namespaces/${NS}/pods`, {
    apiVersion: 'v1', kind: 'Pod', metadata: { name, labels: { app: name }, annotations: { note: 'a note' } },
    spec: { automountServiceAccountToken: false, containers: [container], ...spec },
  });
}

const pod = async (name: string) => await get<Pod>(`/api/v1/namespaces/${NS}/pods/${name}`);
const status = async (name: string) => (await pod(name))?.status?.containerStatuses?.[0];
const isReady = async (name: string) => (await pod(name))?.status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True');
const addressOf = (found: Pod) => mirrorOf(found.status?.podIP ?? '', plane.platform.loopback.podPrefix);

function record(uid: string): { pid: number; startTime: string } | undefined {
  const file = join(plane.platform.dataDir, 'node/pods', `${uid}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { processes: Record<string, { pid: number; startTime: string }> }).processes['main'] : undefined;
}

async function remove(name: string, query: Record<string, number> = {}): Promise<void> {
  await plane.admin.request({ method: 'DELETE', path: `/api/v1/namespaces/${NS}/pods/${name}`, query });
}

interface Answer { status: number; headers: Record<string, unknown>; body: string }

async function ask(path: string, { host, accept = '*/*', address = '127.0.0.1', port = plane.platform.ports.gateway }: { host?: string; accept?: string; address?: string; port?: number }): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const call = httpRequest({ host: address, port, path, agent: false, headers: { accept, ...(host ? { host } : {}) } }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => { body += chunk.toString(); });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
      response.on('error', reject);
    });
    call.on('error', reject).end();
  });
}

async function expose(name: string): Promise<string> {
  await apply(`/api/v1/namespaces/${NS}/services`, {
    apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: { app: name }, ports: [{ name: 'http', port: 8080, targetPort: 'http' }] },
  });
  await apply(`/apis/networking.k8s.io/v1/namespaces/${NS}/ingresses`, {
    apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata: { name },
    spec: { rules: [{ host: `${name}-e2e.preview.localhost`, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: 8080 } } } }] } }] },
  });
  return (await until(async () => (await get<{ spec: { clusterIP?: string } }>(`/api/v1/namespaces/${NS}/services/${name}`))?.spec.clusterIP));
}

const web = (more: Partial<Container> = {}): Container => program(WEB, {
  ports: [{ name: 'http', containerPort: 3000 }], env: [{ name: 'PORT', value: '3000' }], readinessProbe: { httpGet: { path: '/', port: 'http' } }, ...more,
});

describe('a Deployment', () => {
  test('becomes Available and answers at its pod address, its ClusterIP and through the gateway', async () => {
    const clusterIP = await expose('web');
    await apply(`/api/v1/namespaces/${NS}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'web-env' }, stringData: { PASSWORD: 'a$$b$(PORT)' } });
    const began = Date.now();
    await apply(`/apis/apps/v1/namespaces/${NS}/deployments`, {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' },
      spec: {
        replicas: 1, strategy: { type: 'Recreate' }, selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' }, annotations: { note: 'a note' } },
          spec: {
            automountServiceAccountToken: false,
            containers: [web({
              envFrom: [{ secretRef: { name: 'web-env' } }],
              env: [
                { name: 'PORT', value: '3000' }, { name: 'HOSTNAME_LABEL', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
                { name: 'NOTE', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['note']" } } },
                { name: 'COPY', valueFrom: { secretKeyRef: { name: 'web-env', key: 'PASSWORD' } } },
                { name: 'URL', value: 'http://$(WEB_SERVICE_HOST):$(WEB_SERVICE_PORT)/$$(PORT)/$(NOT_THERE)' },
              ],
            })],
          },
        },
      },
    });
    await until(async () => (await get<{ status?: { availableReplicas?: number } }>(`/apis/apps/v1/namespaces/${NS}/deployments/web`))?.status?.availableReplicas === 1);
    process.stderr.write(`Deployment applied → available: ${String(Date.now() - began)} ms\n`);

    const throughGateway = await until(async () => {
      const answer = await ask('/', { host: 'WEB-e2e.preview.localhost:1234' });
      return answer.status === 200 && answer;
    });
    expect(throughGateway.body).toBe('hello from web');
    expect(throughGateway.headers['x-seen-host']).toBe('WEB-e2e.preview.localhost:1234');
    const env = JSON.parse((await ask('/env', { address: clusterIP, port: 8080 })).body) as Record<string, string>;
    expect(env).toMatchObject({ PASSWORD: 'a$$b$(PORT)', COPY: 'a$$b$(PORT)', NOTE: 'a note', URL: `http://${clusterIP}:8080/$(PORT)/$(NOT_THERE)`, HOST: env['POD_IP'] });
    expect(Object.keys(env).filter((key) => /NODE_OPTIONS|JEST|ADORABLE_CACHE/.test(key))).toEqual([]);
    if (process.getuid?.() === 0) expect(Number(env['UID'])).toBeGreaterThanOrEqual(200_000);
  }, 60_000);

  test('the node is Ready and carries no taint', async () => {
    const found = await get<{ spec: { taints?: unknown[] } }>('/api/v1/nodes/adorable');
    expect(found?.spec.taints ?? []).toEqual([]);
  });
});

describe('containers that do not do well', () => {
  test('a crash is backed off, counted and explained by its last lines', async () => {
    await run('crash', program("console.log('boom 1');console.log('boom 2');process.exit(3)"));
    const found = await until(async () => {
      const current = await status('crash');
      return current && current.restartCount >= 1 && current.state.waiting?.reason === 'CrashLoopBackOff' && current;
    });
    expect(found.lastState.terminated).toMatchObject({ exitCode: 3, reason: 'Error', message: expect.stringContaining('boom 2') });
    expect(await isReady('crash')).toBe(false);
    await remove('crash');
    await until(async () => (await pod('crash')) === undefined);
  }, 30_000);

  test('an image without a runner is an image that cannot be pulled', async () => {
    await run('nginx', { name: 'main', image: 'nginx:1' });
    const waiting = await until(async () => (await status('nginx'))?.state.waiting?.reason === 'ImagePullBackOff' && (await status('nginx'))?.state.waiting);
    expect(waiting.message).toContain('no local runner for image nginx:1');
    const events = await until(async () => {
      const list = await get<{ items: { reason: string; involvedObject: { name: string } }[] }>(`/api/v1/namespaces/${NS}/events`);
      const found = list?.items.filter((event) => event.involvedObject.name === 'nginx' && event.reason === 'Failed');
      return found?.length ? found : undefined;
    });
    expect(events).toHaveLength(1);
    await remove('nginx');
    await until(async () => (await pod('nginx')) === undefined, 5_000);
  }, 30_000);

  test('a missing Secret is named, and the container starts once it exists', async () => {
    await run('late', program('setInterval(()=>{},1000)', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'late-env', key: 'A' } } }] }));
    const waiting = await until(async () => (await status('late'))?.state.waiting?.message && (await status('late'))?.state.waiting);
    expect(waiting).toMatchObject({ reason: 'CreateContainerConfigError', message: expect.stringContaining('Secret late-env does not exist') });
    await apply(`/api/v1/namespaces/${NS}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'late-env' }, stringData: { A: '1' } });
    await until(async () => await isReady('late'));
    await remove('late', { gracePeriodSeconds: 0 });
  }, 30_000);

  test('a wildcard listener is ended by name and never Ready', async () => {
    await run('wild', web({ ports: [{ containerPort: 38_291 }], env: [{ name: 'PORT', value: '38291' }, { name: 'BIND', value: '0.0.0.0' }], readinessProbe: { tcpSocket: { port: 38_291 } } }));
    const found = await until(async () => {
      const current = await status('wild');
      return current?.state.waiting?.reason === 'WildcardListener' && current;
    });
    expect(found.state.waiting?.message).toContain('0.0.0.0 port 38291');
    expect(found.lastState.terminated?.reason).toBe('WildcardListener');
    expect(found.ready).toBe(false);
    await remove('wild', { gracePeriodSeconds: 1 });
  }, 30_000);

  test('a listener on an address that is not its own is ended by name', async () => {
    await run('posing', web({ env: [{ name: 'PORT', value: '3000' }, { name: 'BIND', value: '127.0.0.3' }], readinessProbe: { tcpSocket: { host: '127.0.0.3', port: 3000 } } }));
    const found = await until(async () => {
      const current = await status('posing');
      return current?.state.waiting?.reason === 'ForeignListener' && current;
    });
    expect(found.state.waiting?.message).toContain('127.0.0.3 port 3000');
    expect(found.ready).toBe(false);
    await remove('posing', { gracePeriodSeconds: 1 });
  }, 30_000);

  test('a failing liveness probe restarts the container', async () => {
    await run('sick', program('setInterval(()=>{},1000);process.on("SIGTERM",()=>process.exit(0))', {
      livenessProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 1 },
    }));
    const found = await until(async () => {
      const current = await status('sick');
      return current && current.restartCount >= 1 && current;
    });
    expect(found.lastState.terminated?.message).toContain('liveness probe failed');
    await remove('sick');
  }, 30_000);
});

describe('the end of a pod', () => {
  test('a program that exits on SIGTERM is not waited for', async () => {
    await run('quick', program('setInterval(()=>{},1000);process.on("SIGTERM",()=>process.exit(0))'));
    await until(async () => await isReady('quick'));
    await sleep(300);
    const began = Date.now();
    await remove('quick');
    await until(async () => (await pod('quick')) === undefined);
    expect(Date.now() - began).toBeLessThan(15_000);
  }, 30_000);

  test('one that ignores SIGTERM is killed with all its children when the grace ends', async () => {
    const child = `require('child_process').spawn(process.execPath,['-e','process.on("SIGTERM",()=>{});setInterval(()=>{},1000)'],{detached:true,stdio:'ignore'})`;
    await run('stubborn', program(`${child};process.on("SIGTERM",()=>{});setInterval(()=>{},1000)`));
    const { metadata: { uid } } = await until(async () => (await isReady('stubborn')) && await pod('stubborn'));
    const { pid } = await until(() => record(uid));
    const members = await until(() => { const rows = groupAndDescendants(pid); return rows.length === 2 && rows; });
    await sleep(300);
    await remove('stubborn', { gracePeriodSeconds: 1 });
    await until(async () => (await pod('stubborn')) === undefined);
    expect(members.filter((row) => isSameProcess(row.pid, row.startTime))).toEqual([]);
    expect(existsSync(scratchOf(join(plane.platform.dataDir, 'node/scratch'), uid))).toBe(false);
    expect(record(uid)).toBeUndefined();
  }, 30_000);

  test('a node killed -9 leaves nothing: the next one ends the old processes, starts again what is wanted and finishes what is not', async () => {
    await run('keep', web());
    await run('drop', web());
    const kept = await until(async () => (await isReady('keep')) && await pod('keep'));
    const dropped = await until(async () => (await isReady('drop')) && await pod('drop'));
    const old = [kept, dropped].map((found) => record(found.metadata.uid)).filter((row) => row !== undefined);
    expect(old).toHaveLength(2);
    node.kill('SIGKILL');
    await once(node, 'exit');
    expect(old.every((row) => isSameProcess(row.pid, row.startTime))).toBe(true);
    await remove('drop');
    node = await plane.startPart('node');
    expect(old.filter((row) => isSameProcess(row.pid, row.startTime))).toEqual([]);
    await until(async () => (await pod('drop')) === undefined);
    const again = await until(async () => { const found = await pod('keep'); return (found?.status?.containerStatuses?.[0]?.restartCount ?? 0) > 0 && (await isReady('keep')) && found; });
    expect(again.status?.podIP).toBe(kept.status?.podIP);
    expect((await ask('/', { address: addressOf(again), port: 3000 })).status).toBe(200);
    await remove('keep');
  }, 60_000);
});

describe('the gateway', () => {
  const annotate = async (value: string) => {
    await plane.admin.request({ method: 'PATCH', path: `/api/v1/namespaces/${NS}`, patch: 'application/merge-patch+json', body: { metadata: { annotations: { 'adorable.dev/gateway': value } } } });
  };
  const host = 'web-e2e.preview.localhost';

  test('drains: refuses the new, lets requests under way finish, closes WebSockets, and opens again', async () => {
    await until(async () => (await ask('/', { host })).status === 200);
    const socket = connect(plane.platform.ports.gateway, '127.0.0.1');
    socket.write(`GET /ws HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    expect(String((await once(socket, 'data'))[0])).toContain('101 Switching Protocols');
    socket.write('ping');
    expect(String((await once(socket, 'data'))[0])).toBe('ping');
    socket.on('error', () => undefined);
    const closed = once(socket, 'close');
    const slow = ask('/slow', { host });
    await sleep(200);
    await annotate('restoring');
    await closed;
    const refused = await until(async () => { const answer = await ask('/', { host }); return answer.status === 503 && answer; });
    expect(refused.headers['retry-after']).toBe('2');
    expect(JSON.parse(refused.body)).toMatchObject({ type: 'Unavailable' });
    const page = await ask('/', { host, accept: 'text/html' });
    expect(page.body).toContain('http-equiv="refresh"');
    expect(JSON.parse((await ask('/-/drain/e2e', {})).body)).toEqual({ frozen: true, inFlight: 1 });
    expect((await slow).body).toBe('slow done');
    await until(async () => (JSON.parse((await ask('/-/drain/e2e', {})).body) as { inFlight: number }).inFlight === 0);
    await annotate('open');
    await until(async () => (await ask('/', { host })).status === 200);
  }, 30_000);

  test('says why no pod answers, and nothing at all about hosts it does not know', async () => {
    await expose('down');
    const nothing = await until(async () => { const answer = await ask('/', { host: 'down-e2e.preview.localhost' }); return answer.status === 502 && answer; });
    expect(JSON.parse(nothing.body)).toMatchObject({ type: 'Unavailable', details: { reason: 'no pod is running' } });
    await run('down', web({ image: 'adorable.dev/unknown:1' }));
    await until(async () => (await ask('/', { host: 'down-e2e.preview.localhost' })).body.includes('ImagePullBackOff'));
    const unknown = await ask('/', { host: 'other-e2e.preview.localhost', accept: 'text/html' });
    expect(unknown.status).toBe(404);
    expect(unknown.body).not.toMatch(/web|e2e/);
    expect((await ask('/-/drain/e2e', { host: 'other-e2e.preview.localhost' })).status).toBe(404);
    expect((await ask('/-/drain/nobody', {})).status).toBe(404);
  }, 30_000);
});

describe('the end of a namespace', () => {
  test('its pods, processes and Service listeners go with it', async () => {
    const clusterIP = (await get<{ spec: { clusterIP: string } }>(`/api/v1/namespaces/${NS}/services/web`))?.spec.clusterIP ?? '';
    expect((await ask('/', { address: clusterIP, port: 8080 })).status).toBe(200);
    await plane.admin.request({ method: 'DELETE', path: `/api/v1/namespaces/${NS}` });
    await until(async () => (await get(`/api/v1/namespaces/${NS}`)) === undefined, 30_000);
    await expect(ask('/', { address: clusterIP, port: 8080 })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(readdirSync(join(plane.platform.dataDir, 'node/pods'))).toEqual([]);
    expect(readdirSync(join(plane.platform.dataDir, 'node/scratch'))).toEqual([]);
  }, 45_000);
});
