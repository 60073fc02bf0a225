/**
 * Rights of the worker and of the gateway: only what each needs, so that a fault in one of them
 * cannot change what guards it (no admission policies, no roles, no nodes) (I6, I8).
 */
import { GATEWAY_USER, WORKER_USER } from './identities.ts';

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown };
  readonly [key: string]: unknown;
}

const READ = ['get', 'list', 'watch'];
const FULL = [...READ, 'create', 'update', 'patch', 'delete', 'deletecollection'];

const workerRules = [
  { apiGroups: [''], resources: ['namespaces'], verbs: [...READ, 'create', 'patch', 'delete'] },
  { apiGroups: [''], resources: ['services', 'secrets', 'configmaps', 'resourcequotas', 'limitranges', 'serviceaccounts'], verbs: FULL },
  { apiGroups: ['apps'], resources: ['deployments'], verbs: FULL },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs: FULL },
  { apiGroups: [''], resources: ['pods'], verbs: [...READ, 'delete'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: READ },
  // Never ours: looked for, so that nothing of others goes with a namespace.
  { apiGroups: [''], resources: ['persistentvolumeclaims'], verbs: ['list'] },
  { apiGroups: ['apps'], resources: ['statefulsets', 'daemonsets'], verbs: ['list'] },
  { apiGroups: ['batch'], resources: ['jobs', 'cronjobs'], verbs: ['list'] },
  { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs: ['list'] },
  { apiGroups: ['', 'events.k8s.io'], resources: ['events'], verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
];

const gatewayRules = [
  { apiGroups: [''], resources: ['namespaces', 'services', 'pods'], verbs: READ },
  { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: READ },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: READ },
];

export const rbac: readonly KubeObject[] = [...grant(WORKER_USER, workerRules), ...grant(GATEWAY_USER, gatewayRules)];

function grant(user: string, rules: readonly object[]): KubeObject[] {
  const group = 'rbac.authorization.k8s.io';
  return [
    { apiVersion: `${group}/v1`, kind: 'ClusterRole', metadata: { name: user }, rules },
    {
      apiVersion: `${group}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: user },
      roleRef: { apiGroup: group, kind: 'ClusterRole', name: user },
      subjects: [{ apiGroup: group, kind: 'User', name: user }],
    },
  ];
}
