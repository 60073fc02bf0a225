/** A timeline server and computes as real processes on a data directory of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ComputeRole } from '../../../local/node/runners/compute/assert-roles.ts';
import { createTimelineClient, type TimelineClient } from '../../../activities/data/timeline-client.ts';
import { obtain } from '../../../local/engines/obtain.ts';
import { installRunners } from '../../../local/node/install-runners.ts';
import { projectUid } from '../../../local/uids.ts';
import type { ProjectId, TenantId, TimelineId } from '../../../shared/ids.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');
export const hex = () => randomBytes(16).toString('hex');
export const newTimelineId = () => hex() as TimelineId;

/** From the engine cache, where a project's uid can reach them: a checkout may lie where only its owner can. */
const [node24, postgres] = await Promise.all([obtain('node', () => undefined), obtain('postgres', () => undefined)]);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

export interface Compute {
  readonly port: number;
  readonly child: ChildProcess;
  output(): string;
  readonly exited: Promise<number | null>;
  connect(user?: string, password?: string): Promise<pg.Client>;
  stop(): Promise<number | null>;
}

export interface ComputeOptions {
  readonly timelineId: TimelineId;
  readonly fence?: number;
  readonly roles?: readonly ComputeRole[];
}

export interface TimelineWorld {
  readonly projectId: ProjectId;
  readonly tenantId: TenantId;
  readonly data: string;
  readonly client: TimelineClient;
  startServer(): Promise<void>;
  killServer(): Promise<void>;
  /** SIGSTOP makes it hang: its port still takes connections. */
  signalServer(name: NodeJS.Signals): void;
  /** A client of its own. */
  connect(options: { silenceMs: number }): TimelineClient;
  /** Waits until it serves or has ended. */
  startCompute(options: ComputeOptions): Promise<Compute>;
  close(): Promise<void>;
}

export async function createTimelineWorld(): Promise<TimelineWorld> {
  // A path that a shell and PostgreSQL each would read as more than a name.
  const data = mkdtempSync(join(tmpdir(), "it's 100%f t-"));
  chmodSync(data, 0o711);
  for (const name of ['timelines', 'node', 'scratch']) mkdirSync(join(data, name), { mode: 0o711 });
  mkdirSync(join(data, 'secrets'), { mode: 0o700 });
  const token = hex();
  const port = await freePort();
  writeFileSync(join(data, 'secrets', 'timeline.token'), token);
  writeFileSync(join(data, 'platform.json'), JSON.stringify({ ports: { timeline: port }, engines: { postgres } }));
  installRunners(join(data, 'runners'));

  const projectId = `p${hex().slice(0, 9)}` as ProjectId;
  const tenantId = hex() as TenantId;
  const url = `http://127.0.0.1:${String(port)}`;
  const children = new Set<ChildProcess>();
  let server: ChildProcess | undefined;

  const world: TimelineWorld = {
    projectId, tenantId, data,
    client: createTimelineClient({ url, token }),
    async startServer() {
      const child = spawn(node24, [join(checkout, 'local', 'timeline', 'main.ts'), '--data', data], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ADORABLE_BASE_AFTER_BYTES: '8000000' } });
      server = child;
      children.add(child);
      await new Promise<void>((resolve, reject) => {
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => { if (chunk.includes('"ready":true')) resolve(); });
        child.once('exit', (code) => { reject(new Error(`the timeline server ended with ${String(code)}`)); });
      });
    },
    async killServer() {
      const gone = new Promise((resolve) => server?.once('exit', resolve));
      server?.kill('SIGKILL');
      await gone;
    },
    signalServer: (name) => { server?.kill(name); },
    connect: (options) => createTimelineClient({ url, token, ...options }),
    async startCompute({ timelineId, fence = 1, roles = [] }) {
      const computePort = await freePort();
      const scratch = mkdtempSync(join(data, 'scratch', 'c'));
      // As the process node does: under the project's own uid.
      const uid = await projectUid(data, projectId, 'compute');
      if (uid !== undefined) chownSync(scratch, uid, uid);
      const child = spawn(node24, [join(data, 'runners', 'compute', 'main.mjs')], {
        stdio: ['ignore', 'pipe', 'inherit'], ...(uid === undefined ? {} : { uid, gid: uid }),
        env: {
          PATH: process.env['PATH'], TENANT_ID: tenantId, TIMELINE_ID: timelineId, FENCE: String(fence), PORT: String(computePort), POD_IP: '127.0.0.1',
          SCRATCH: scratch, TIMELINE_SERVER: url, TIMELINE_TOKEN: token, ADMIN_PASSWORD: 'admin-password', POSTGRES_BIN: join(postgres, 'bin'),
          ROLES_JSON: JSON.stringify(roles), POD_NAME: `compute-${String(computePort)}`,
        },
      });
      children.add(child);
      let text = '';
      const exited = new Promise<number | null>((resolve, reject) => child.once('exit', resolve).once('error', reject));
      await new Promise<void>((resolve, reject) => {
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.includes('"ready":true')) resolve();
        });
        exited.then(() => { resolve(); }, reject);
      });
      return {
        port: computePort, child, exited, output: () => text,
        async connect(user = 'cloud_admin', password = 'admin-password') {
          const client = new pg.Client({ host: '127.0.0.1', port: computePort, user, password, database: 'app' });
          client.on('error', () => undefined); // Backends are terminated on purpose.
          await client.connect();
          return client;
        },
        async stop() {
          child.kill('SIGTERM');
          return await exited;
        },
      };
    },
    async close() {
      for (const child of children) if (child.exitCode === null && child !== server) child.kill('SIGTERM');
      await sleep(500);
      for (const child of children) if (child.exitCode === null) child.kill('SIGKILL');
      await sleep(200);
      await endLeftovers(join(data, 'timelines'));
      rmSync(data, { recursive: true, force: true });
    },
  };
  await world.startServer();
  return world;
}

async function endLeftovers(folder: string): Promise<void> {
  const { endProcessesIn } = await import('../../../local/timeline/postgres-process.ts');
  await endProcessesIn(folder, 0);
}

