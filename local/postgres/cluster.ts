/**
 * The platform's own PostgreSQL. It runs under a uid of its own when root, since PostgreSQL refuses
 * root; its directory is made aside and renamed, so that a kill leaves no half-made cluster.
 */
import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { AdorableError } from '../../shared/errors.ts';
import type { Layout } from '../paths.ts';
import { readSecret } from '../platform.ts';
import type { Platform } from '../platform.ts';
import { isRoot, PLATFORM_UID } from '../uids.ts';

const run = promisify(execFile);

export const platformUser = isRoot ? { uid: PLATFORM_UID, gid: PLATFORM_UID } : {};
const DATABASE = 'adorable';

export async function ensureCluster(paths: Layout, platform: Platform): Promise<void> {
  const dir = join(paths.postgres, 'data');
  if (existsSync(join(dir, 'PG_VERSION'))) return;
  const draft = join(paths.postgres, 'draft');
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  const passwordFile = join(paths.postgres, '.password');
  writeFileSync(passwordFile, readSecret(paths.data, 'postgres.password'), { mode: 0o600 });
  const maker = clusterMaker();
  if (maker) for (const path of [paths.postgres, draft, passwordFile]) chownSync(path, maker.uid, maker.gid);
  try {
    await run(
      join(platform.engines.postgres, 'bin', 'initdb'),
      ['-D', draft, '-U', DATABASE, `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'],
      { ...maker, cwd: '/' },
    );
    if (isRoot) await run('chown', ['-R', `${PLATFORM_UID}:${PLATFORM_UID}`, paths.postgres]);
    renameSync(draft, dir);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

/** initdb wants a uid that has a name, which ours have not: a user of the system makes the files. */
export function clusterMaker(): { uid: number; gid: number } | undefined {
  if (!isRoot) return undefined;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const named = users.find(([name]) => name === 'nobody') ?? users.find(([, , uid]) => Number(uid) > 0);
  if (!named) throw new AdorableError('EngineUnavailable', 'PostgreSQL refuses root and /etc/passwd names no other user: add one, for example `nobody`.');
  return { uid: Number(named[2]), gid: Number(named[3]) };
}

export function postgresFlags(paths: Layout, platform: Platform): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port: platform.ports.postgres,
    unix_socket_directories: '',
    shared_buffers: '32MB',
    max_connections: 60,
    log_min_messages: 'warning',
    max_logical_replication_workers: 0,
  };
  return ['-D', join(paths.postgres, 'data'), ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

export function platformSqlUrl(platform: Platform, database: string = DATABASE): string {
  return `postgresql://${DATABASE}:${readSecret(platform.dataDir, 'postgres.password')}@127.0.0.1:${platform.ports.postgres}/${database}`;
}

export async function ensureDatabase(platform: Platform): Promise<void> {
  const client = new Client({ connectionString: platformSqlUrl(platform, 'postgres') });
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

export async function answersSql(platform: Platform): Promise<boolean> {
  const client = new Client({ connectionString: platformSqlUrl(platform, 'postgres'), connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined); // A connection that breaks later has been judged already.
  await client.connect();
  try {
    await client.query('SELECT 1');
    return true;
  } finally {
    await client.end();
  }
}
