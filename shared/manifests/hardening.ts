/**
 * What every namespace carries whatever it runs: quotas as a guard against run-away objects,
 * default-deny network policy with the declared edges, no service account token. The process node
 * enforces who connects to computes and services, by port (I10), and none of the other edges.
 */
import type { ProjectId } from '../ids.ts';
import { COMPUTE } from '../services/built-ins.ts';
import { COMPUTE_PORT, DATABASE_LABEL, GATEWAY, labelsOf, MANAGED_BY, FENCE, FIELD_MANAGER, namespaceName, PROJECT_LABEL, PUBLIC_LABEL } from './names.ts';
import type { KubeObject } from './kube-object.ts';

const POD_SECURITY_VERSION = 'v1.34';

export type GatewayState = 'open' | 'restoring';

export function renderNamespace(input: { projectId: ProjectId; fence: number; gateway: GatewayState }): KubeObject {
  const security = ['enforce', 'audit', 'warn'].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, 'restricted'], [`pod-security.kubernetes.io/${mode}-version`, POD_SECURITY_VERSION],
  ]);
  return {
    apiVersion: 'v1', kind: 'Namespace',
    metadata: {
      name: namespaceName(input.projectId),
      labels: { [MANAGED_BY]: FIELD_MANAGER, [PROJECT_LABEL]: input.projectId, ...Object.fromEntries(security) as Record<string, string> },
      annotations: { [FENCE]: String(input.fence), [GATEWAY]: input.gateway },
    },
  };
}

export function hardeningObjects(projectId: ProjectId): KubeObject[] {
  const object = (apiVersion: string, kind: string, name: string, fields: object): KubeObject => ({
    apiVersion, kind, metadata: { name, namespace: namespaceName(projectId), labels: labelsOf({ projectId, name: 'project', component: 'project' }) }, ...fields,
  });
  const policy = (name: string, spec: object) => object('networking.k8s.io/v1', 'NetworkPolicy', name, { spec });
  const pods = (label: string, value: string) => ({ podSelector: { matchLabels: { [label]: value } } });
  const compute = pods('app.kubernetes.io/name', COMPUTE);
  const database = pods(DATABASE_LABEL, 'true');
  const toCompute = [{ port: COMPUTE_PORT, protocol: 'TCP' }];
  return [
    object('v1', 'ServiceAccount', 'default', { automountServiceAccountToken: false }),
    object('v1', 'LimitRange', 'project', {
      spec: { limits: [{ type: 'Container', default: { cpu: '4', memory: '2Gi' }, defaultRequest: { cpu: '10m', memory: '64Mi' } }] },
    }),
    object('v1', 'ResourceQuota', 'project', {
      spec: { hard: { 'count/deployments.apps': '2k', 'count/services': '2k', 'count/ingresses.networking.k8s.io': '2k', persistentvolumeclaims: '20', pods: '2k', 'services.loadbalancers': '0', 'services.nodeports': '0' } },
    }),
    policy('default-deny', { podSelector: {}, policyTypes: ['Egress', 'Ingress'] }),
    policy('dns', { podSelector: {}, policyTypes: ['Egress'], egress: [{ ports: [{ port: 53, protocol: 'UDP' }, { port: 53, protocol: 'TCP' }] }] }),
    policy('gateway', { ...pods(PUBLIC_LABEL, 'true'), policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: { matchLabels: { 'adorable.dev/gateway': 'true' } } }] }] }),
    policy('database-clients', { ...database, policyTypes: ['Egress'], egress: [{ to: [compute], ports: toCompute }] }),
    policy('database', { ...compute, policyTypes: ['Egress', 'Ingress'], ingress: [{ from: [database], ports: toCompute }], egress: [{}] }),
  ];
}
