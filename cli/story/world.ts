/**
 * Reads the world from the stores that own its facts: git, SQL, the Kubernetes API, HTTP through
 * the gateway. Used by the story and by the end-to-end tests, so that neither echoes a claim.
 */
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { connectKube } from '../../local/kube-client.ts';
import { layout } from '../../local/paths.ts';
import { kubeconfigPath } from '../../local/platform.ts';
import type { Platform } from '../../local/platform.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';

const run = promisify(execFile);

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  json<T>(): T;
}

export interface HttpOptions {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface World {
  /** Directories below `apps/` at HEAD. */
  appDirs(): Promise<string[]>;
  commit(): Promise<string>;
  /** Names of the namespace's objects of one kind. */
  names(kind: 'deployments' | 'services' | 'ingresses' | 'pods'): Promise<string[]>;
  /** Where the compute's Service listens. */
  computeAddress(): Promise<{ host: string; port: number; database: string }>;
  sql<Row>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Through the gateway, to `<name>-<project>.preview.localhost`. */
  http(name: string, path: string, options?: HttpOptions): Promise<HttpAnswer>;
  url(name: string): string;
  /** A value of a Secret in the project's namespace: the reader is the platform's owner. */
  secret(name: string, key: string): Promise<string>;
  close(): Promise<void>;
}

interface Named { readonly metadata: { readonly name: string } }

export function openWorld(platform: Platform, projectId: ProjectId): World {
  const kube = connectKube(kubeconfigPath(platform.dataDir, 'admin'));
  const namespace = `adorable-${projectId}`;
  const repo = join(layout(platform.dataDir).projects, projectId, 'repo');
  const git = async (...args: string[]): Promise<string> => (await run('git', ['-c', 'safe.directory=*', '-C', repo, ...args])).stdout.trim();
  const paths = {
    deployments: `/apis/apps/v1/namespaces/${namespace}/deployments`,
    services: `/api/v1/namespaces/${namespace}/services`,
    ingresses: `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`,
    pods: `/api/v1/namespaces/${namespace}/pods`,
  } as const;

  const secret = async (name: string, key: string): Promise<string> => {
    const { data } = await kube.request<{ data?: Record<string, string> }>({ method: 'GET', path: `/api/v1/namespaces/${namespace}/secrets/${name}` });
    const value = data?.[key];
    if (value === undefined) throw new AdorableError('NotFound', `Secret ${name} of project ${projectId} has no ${key}.`);
    return Buffer.from(value, 'base64').toString('utf8');
  };

  const computeAddress = async (): Promise<{ host: string; port: number; database: string }> => {
    const { spec } = await kube.request<{ spec: { clusterIP: string; ports: { port: number }[] } }>({ method: 'GET', path: `${paths.services}/neon-compute` });
    return { host: spec.clusterIP, port: spec.ports[0]?.port ?? 5432, database: 'app' };
  };

  return {
    async appDirs() {
      const listing = await git('ls-tree', '--name-only', 'HEAD', 'apps/');
      return listing === '' ? [] : listing.split('\n').map((path) => path.slice('apps/'.length));
    },
    commit: () => git('rev-parse', 'HEAD'),
    async names(kind) {
      const { items } = await kube.request<{ items: Named[] }>({ method: 'GET', path: paths[kind] });
      return items.map((item) => item.metadata.name).sort();
    },
    computeAddress,
    async sql<Row>(text: string, values: readonly unknown[] = []) {
      const client = new pg.Client({
        ...(await computeAddress()), user: 'cloud_admin',
        password: await secret('neon-compute-env', 'ADMIN_PASSWORD'), connectionTimeoutMillis: 5000,
      });
      client.on('error', () => undefined); // A compute that is stopped meanwhile fails the query.
      await client.connect();
      try {
        return (await client.query(text, [...values])).rows as Row[];
      } finally {
        await client.end();
      }
    },
    http: (name, path, options = {}) => ask({ host: hostOf(platform, name, projectId), port: platform.ports.gateway, path, options }),
    url: (name) => `http://${hostOf(platform, name, projectId)}:${String(platform.ports.gateway)}`,
    secret,
    close: () => kube.close(),
  };
}

function hostOf(platform: Platform, name: string, projectId: ProjectId): string {
  return `${name}-${projectId}.${platform.previewDomain}`;
}

/** `*.localhost` does not resolve everywhere: dial the gateway and name the host in the header. */
async function ask(input: { host: string; port: number; path: string; options: HttpOptions }): Promise<HttpAnswer> {
  const { host, port, path, options } = input;
  const payload = options.body === undefined ? undefined : JSON.stringify(options.body);
  return await new Promise((resolve, reject) => {
    const outgoing = request({
      host: '127.0.0.1', port, path, method: options.method ?? 'GET', timeout: 20_000,
      headers: { host: `${host}:${String(port)}`, ...(payload === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
    }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const body = Buffer.concat(chunks).toString('utf8');
        resolve({ status: incoming.statusCode ?? 0, body, json: <T>() => JSON.parse(body) as T });
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new AdorableError('Unavailable', `${host}${path} gave no answer in 20 s.`)));
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}
