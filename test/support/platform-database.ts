/** The platform database alone: a real PostgreSQL with our migrations, in a directory of its own. */
import { execFile, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { migrate } from '../../activities/records/migrate.ts';
import { connectPlatform } from '../../activities/records/platform-database.ts';
import type { PlatformDatabase } from '../../activities/records/platform-database.ts';
import { obtain } from '../../local/engines/obtain.ts';
import { clusterMaker } from '../../local/postgres/cluster.ts';

export interface TestDatabase {
  readonly database: PlatformDatabase;
  close(): Promise<void>;
}

export async function startPlatformDatabase(): Promise<TestDatabase> {
  const bin = join(await obtain('postgres', () => undefined), 'bin');
  const dir = mkdtempSync(join(tmpdir(), 'adorable-pg-'));
  const maker = clusterMaker();
  if (maker !== undefined) chownSync(dir, maker.uid, maker.gid);
  chmodSync(dir, 0o700);
  await promisify(execFile)(join(bin, 'initdb'), ['-D', dir, '-U', 'adorable', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync', '--no-instructions'], { ...maker, cwd: '/' });
  const port = await freePort();
  const server = spawn(join(bin, 'postgres'), ['-D', dir, '-c', 'listen_addresses=127.0.0.1', '-c', `port=${String(port)}`, '-c', 'unix_socket_directories=', '-c', 'fsync=off'], { ...maker, cwd: '/', stdio: 'ignore' });
  const ended = new Promise((resolve) => server.once('exit', resolve));
  const url = `postgresql://adorable@127.0.0.1:${String(port)}/postgres`;
  const database = connectPlatform(url);
  for (const deadline = Date.now() + 20_000; ; await sleep(50)) {
    try {
      await database.query('SELECT 1');
      break;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
  await migrate(url);
  return {
    database,
    async close() {
      await database.end();
      server.kill('SIGINT');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}
