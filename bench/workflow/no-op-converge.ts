/** A converge of a namespace that is as it should be: what it asks of the Kubernetes API, and whether anything changed. */
import { connectKube } from '../../local/kube-client.ts';
import type { KubeClient } from '../../local/kube-client.ts';
import { kubeconfigPath } from '../../local/platform.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import type { OpenRuntime } from '../../client/open.ts';
import { compose } from '../../workers/compose.ts';
import { readWorkerConfig } from '../../workers/config.ts';

const KINDS = ['v1/serviceaccounts', 'v1/limitranges', 'v1/resourcequotas', 'networking.k8s.io/v1/networkpolicies', 'v1/secrets', 'v1/services', 'apps/v1/deployments', 'networking.k8s.io/v1/ingresses'];

export interface NoOpConverge {
  /** LIST requests by resource. */
  readonly lists: Readonly<Record<string, number>>;
  readonly otherReads: number;
  readonly writes: number;
  /** Objects whose resourceVersion moved. */
  readonly moved: number;
  readonly objects: number;
}

export async function measureNoOpConverge({ platform, database }: OpenRuntime, projectId: ProjectId): Promise<NoOpConverge> {
  const admin = connectKube(kubeconfigPath(platform.dataDir, 'admin'));
  const config = readWorkerConfig(platform.dataDir, {});
  const seen: { method: string; path: string }[] = [];
  const kube = connectKube(config.kubeconfig);
  const counting: KubeClient = { ...kube, request: async (request) => { seen.push(request); return await kube.request(request); } };
  const composition = compose(config, { heartbeat: () => undefined, signal: () => new AbortController().signal }, counting);
  try {
    const moment = await composition.activities.readCurrentMoment({ projectId });
    const [row] = await database.query<{ fence: string; operation: string }>('SELECT p.fence, o.id AS operation FROM projects p JOIN operations o ON o.project_id = p.id AND o.fence = p.fence WHERE p.id = $1', [projectId]);
    const before = await versions(admin, projectId);
    seen.length = 0;
    await composition.activities.convergeInfra({ projectId, operationId: row?.operation as never, fence: Number(row?.fence), moment, keepRunning: true });
    const asked = [...seen];
    const after = await versions(admin, projectId);
    const isList = ({ path }: { path: string }): boolean => /\/namespaces\/[^/]+\/[^/]+$/.test(path);
    const reads = asked.filter(({ method }) => method === 'GET');
    const lists: Record<string, number> = {};
    for (const { path } of reads.filter(isList)) lists[path.split('/').at(-1) ?? ''] = (lists[path.split('/').at(-1) ?? ''] ?? 0) + 1;
    return {
      lists, otherReads: reads.filter((read) => !isList(read)).length, writes: asked.length - reads.length,
      moved: [...after].filter(([ref, version]) => before.get(ref) !== version).length, objects: after.size,
    };
  } finally {
    await composition.close();
    await admin.close();
  }
}

async function versions(kube: KubeClient, projectId: ProjectId): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const kind of KINDS) {
    const plural = kind.split('/').at(-1) ?? '';
    const group = kind.startsWith('v1/') ? '/api/v1' : `/apis/${kind.slice(0, -plural.length - 1)}`;
    const { items } = await kube.request<{ items: { metadata: { uid: string; resourceVersion: string } }[] }>({ method: 'GET', path: `${group}/namespaces/${namespaceName(projectId)}/${plural}` });
    for (const { metadata } of items) found.set(metadata.uid, metadata.resourceVersion);
  }
  return found;
}
