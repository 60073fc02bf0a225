/**
 * The one right that `system:node` lacks here: reading Namespaces, to know which of them are ours
 * before anything is listened on or started for them (I6). Granted with the admin's identity.
 */
import { connectKube } from '../kube-client.ts';
import { kubeconfigPath } from '../platform.ts';
import { NODE_NAME } from './node-registration.ts';

const NAME = 'adorable:node';
const GROUP = 'rbac.authorization.k8s.io';

export async function ensureNodeRights(dataDir: string): Promise<void> {
  const kube = connectKube(kubeconfigPath(dataDir, 'admin'));
  const apply = async (resource: string, body: object) => {
    await kube.request({
      method: 'PATCH', path: `/apis/${GROUP}/v1/${resource}/${NAME}`, patch: 'application/apply-patch+yaml',
      query: { fieldManager: 'adorable-node', force: true },
      body: { apiVersion: `${GROUP}/v1`, metadata: { name: NAME }, ...body },
    });
  };
  try {
    await apply('clusterroles', { kind: 'ClusterRole', rules: [{ apiGroups: [''], resources: ['namespaces'], verbs: ['get', 'list', 'watch'] }] });
    await apply('clusterrolebindings', {
      kind: 'ClusterRoleBinding',
      roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: NAME },
      subjects: [{ apiGroup: GROUP, kind: 'User', name: `system:node:${NODE_NAME}` }],
    });
  } finally {
    await kube.close();
  }
}
