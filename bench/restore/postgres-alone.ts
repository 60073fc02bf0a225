/**
 * PostgreSQL alone, with a compute's own settings on the same filesystem: what a compute's stop and
 * start cost without a pod around it, and where pg_restore restores to.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import type { Platform } from '../../local/platform.ts';
import { writeConfig } from '../../local/node/runners/compute/compute-config.ts';
import { connectWire } from '../../local/node/runners/compute/postgres-wire.ts';
import type { WireConnection } from '../../local/node/runners/compute/postgres-wire.ts';
import { bootstrap } from '../../local/timeline/bootstrap.ts';
import { makeOwned } from '../../local/timeline/copy-tree.ts';
import { projectUid } from '../../local/uids.ts';
import type { World } from '../../cli/story/world.ts';
import type { PgClient } from '../pg-client.ts';
import type { BenchProject } from './project.ts';

const run = promisify(execFile);
const ADMIN = 'cloud_admin';

export interface PostgresAlone {
  dumpAndRestore(client: PgClient, world: World): Promise<{ dump: number; restore: number }>;
  /** Of a server that holds what was restored last. */
  restart(): Promise<{ stop: number; start: number }>;
  remove(): Promise<void>;
}

export async function postgresAlone(platform: Platform, { projectId }: BenchProject): Promise<PostgresAlone> {
  const folder = join(platform.dataDir, 'alone');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const uid = await projectUid(platform.dataDir, projectId, 'compute');
  const binaries = join(platform.engines.postgres, 'bin');
  const [pgdata, settings, wal, dumped] = ['pgdata', 'settings', 'wal', 'dump'].map((name) => join(folder, name)) as [string, string, string, string];
  await bootstrap(binaries, pgdata, uid);
  for (const path of [settings, wal]) makeOwned(path, uid);
  const port = await freePort();
  writeConfig({ folder: settings, pgdata, walArchive: wal, listen: '127.0.0.1', port });
  if (uid !== undefined) for (const name of readdirSync(settings)) chownSync(join(settings, name), uid, uid);

  let server: ChildProcess | undefined;
  let wire: WireConnection | undefined;
  const socket = join(settings, `.s.PGSQL.${String(port)}`);

  async function start(): Promise<number> {
    const began = performance.now();
    const child = spawn(join(binaries, 'postgres'), ['-c', `config_file=${join(settings, 'postgresql.conf')}`], {
      cwd: pgdata, stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' },
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    server = child;
    await new Promise<void>((resolve, reject) => {
      let text = '';
      child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
        text = (text + chunk).slice(-2000);
        if (text.includes('ready to accept connections')) resolve();
      });
      child.once('error', reject).once('close', () => { reject(new Error(`PostgreSQL ended while starting: ${text}`)); });
    });
    wire = await connectWire(socket, ADMIN, 'app');
    await wire.query('SELECT 1');
    return performance.now() - began;
  }

  async function stop(): Promise<number> {
    const child = server;
    if (child === undefined || child.exitCode !== null) return 0;
    const began = performance.now();
    const gone = new Promise((resolve) => child.once('close', resolve));
    await wire?.query('CHECKPOINT');
    wire?.close();
    child.kill('SIGINT');
    await gone;
    return performance.now() - began;
  }

  await start();
  return {
    async dumpAndRestore(client, world) {
      rmSync(dumped, { recursive: true, force: true });
      const { host, port: computePort, database } = await world.computeAddress();
      const password = await world.secret('neon-compute-env', 'ADMIN_PASSWORD');
      const dumping = performance.now();
      await run(client.dump, ['--host', host, '--port', String(computePort), '--username', ADMIN, '--format=directory', '--jobs=2', '--compress=none', '--file', dumped, database], { env: { ...process.env, PGPASSWORD: password } });
      const dump = performance.now() - dumping;
      await wire?.query('DROP DATABASE IF EXISTS restored');
      await wire?.query('CREATE DATABASE restored');
      const restoring = performance.now();
      await run(client.restore, ['--host', settings, '--port', String(port), '--username', ADMIN, '--dbname', 'restored', '--jobs=2', '--no-owner', '--no-privileges', '--exit-on-error', dumped]);
      return { dump, restore: performance.now() - restoring };
    },
    restart: async () => ({ stop: await stop(), start: await start() }),
    async remove() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => { resolve(typeof address === 'object' && address !== null ? address.port : 0); });
    });
  });
}
