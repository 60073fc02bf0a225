/**
 * One project as its four stores tell it, for claims that nothing changed: git's refs and worktree,
 * the platform's rows, the timeline server's state, the namespace's objects. Read as an
 * administrator and without Temporal, so that it can be read while that is away.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { OpenRuntime } from '../../client/open.ts';
import { connectKube } from '../../local/kube-client.ts';
import { layout } from '../../local/paths.ts';
import { kubeconfigPath } from '../../local/platform.ts';
import { tenantIdOf } from '../../shared/derive.ts';
import type { ProjectId } from '../../shared/ids.ts';

const run = promisify(execFile);
const TABLES = ['project_apps', 'plan_revisions', 'checkpoints', 'operations', 'inventory'] as const;
const KINDS = ['api/v1/services', 'api/v1/secrets', 'api/v1/pods', 'apis/apps/v1/deployments', 'apis/networking.k8s.io/v1/ingresses'] as const;

interface LiveObject {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation?: number; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: unknown;
}

export interface ProjectReading {
  readonly git: { readonly head: string; readonly refs: readonly string[]; readonly worktree: string };
  readonly rows: Readonly<Record<string, readonly string[]>>;
  readonly timelines: { readonly endpoint: unknown; readonly all: readonly unknown[] };
  readonly namespace: readonly unknown[];
}

export async function readProjectStores(open: OpenRuntime, projectId: ProjectId): Promise<ProjectReading> {
  const { platform, database, timelines } = open;
  const git = async (...args: string[]): Promise<string> =>
    (await run('git', ['-c', 'safe.directory=*', '-C', join(layout(platform.dataDir).projects, projectId, 'repo'), ...args])).stdout.trim();
  const rowsOf = async (table: string, key = 'project_id'): Promise<string[]> =>
    (await database.query<{ row: unknown }>(`SELECT to_jsonb(t) AS row FROM ${table} t WHERE ${key} = $1`, [projectId])).map(({ row }) => JSON.stringify(row)).sort();
  const tables = await Promise.all(TABLES.map(async (table) => [table, await rowsOf(table)] as const));
  return {
    git: { head: await git('rev-parse', 'HEAD'), refs: (await git('for-each-ref', '--format=%(refname) %(objectname)')).split('\n'), worktree: await git('status', '--porcelain') },
    rows: { projects: await rowsOf('projects', 'id'), ...Object.fromEntries(tables) },
    timelines: { endpoint: await timelines.readEndpoint(projectId), all: await timelines.listTimelines(tenantIdOf(projectId)) },
    namespace: await readNamespace(platform.dataDir, `adorable-${projectId}`),
  };
}

/** What was asked for, not what controllers report: a status moves by itself. */
async function readNamespace(dataDir: string, namespace: string): Promise<unknown[]> {
  const kube = connectKube(kubeconfigPath(dataDir, 'admin'));
  try {
    const get = async <T>(path: string): Promise<T> => await kube.request<T>({ method: 'GET', path });
    const asked = (kind: string, { metadata: { name, uid, generation, annotations }, spec }: LiveObject) => ({ kind, name, uid, generation, annotations, spec });
    const objects = await Promise.all(KINDS.map(async (kind) => {
      const { items } = await get<{ items: LiveObject[] }>(`/${kind.replace(/\/(\w+)$/, `/namespaces/${namespace}/$1`)}`);
      return items.map((object) => asked(kind, object)).sort((a, b) => (a.name < b.name ? -1 : 1));
    }));
    return [asked('Namespace', await get<LiveObject>(`/api/v1/namespaces/${namespace}`)), ...objects.flat()];
  } finally {
    await kube.close();
  }
}
