/**
 * Where the embedded platform keeps its files. Root gets system directories, because pods run
 * under uids of their own that cannot traverse root's home.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

const isRoot = process.getuid?.() === 0;

export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['ADORABLE_CACHE']) return resolve(env['ADORABLE_CACHE']);
  if (isRoot) return '/var/cache/adorable';
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'adorable');
}

export function dataDir(chosen: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  const wanted = chosen ?? env['ADORABLE_DATA'];
  if (wanted) return resolve(wanted);
  if (isRoot) return '/var/lib/adorable';
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'adorable');
}

/** Every path below a data directory, so that no part builds one by hand. */
export function layout(data: string) {
  return {
    data,
    version: join(data, 'version'),
    platform: join(data, 'platform.json'),
    secrets: join(data, 'secrets'),
    logs: join(data, 'logs'),
    podLogs: join(data, 'logs', 'pods'),
    run: join(data, 'run'),
    socket: join(data, 'supervisor.sock'),
    postgres: join(data, 'postgres'),
    temporal: join(data, 'temporal'),
    kube: join(data, 'kube'),
    timelines: join(data, 'timelines'),
    node: join(data, 'node'),
    runners: join(data, 'runners'),
    projects: join(data, 'projects'),
    deps: join(data, 'projects', 'deps'),
  } as const;
}

export type Layout = ReturnType<typeof layout>;
