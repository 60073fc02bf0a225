/**
 * One workload: Deployment, Service and, where people reach it, Ingress. Recreate and one replica
 * at most: a branch has one writer, and old code never serves beside new code (I1).
 */
import type { ProjectId } from '../ids.ts';
import { DATABASE_LABEL, labelsOf, namespaceName, PUBLIC_LABEL } from './names.ts';
import type { NameLabels } from './names.ts';
import type { KubeObject } from './kube-object.ts';

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: unknown;
}

export interface Workload {
  readonly projectId: ProjectId;
  readonly name: string;
  readonly component: NameLabels['component'];
  readonly owner?: NonNullable<NameLabels['owner']>;
  readonly image: string;
  readonly port: number;
  readonly env: readonly EnvVar[];
  readonly envFrom: readonly string[];
  readonly annotations: Readonly<Record<string, string>>;
  readonly replicas: number;
  readonly probes: Readonly<Record<string, unknown>>;
  readonly resources: Readonly<Record<string, unknown>>;
  readonly graceSeconds: number;
  readonly usesDatabase: boolean;
  /** Host name it is reached under from outside. */
  readonly host?: string;
}

export function workloadObjects(workload: Workload): { deployment: KubeObject; service: KubeObject; ingress: KubeObject | undefined } {
  const { projectId, name, component, owner, host } = workload;
  const labels = labelsOf({ projectId, name, component, ...(owner ? { owner } : {}) });
  const metadata = { name, namespace: namespaceName(projectId), labels };
  // Stable keys only: a selector can never change.
  const selector = { 'app.kubernetes.io/name': name, 'app.kubernetes.io/instance': projectId };
  return {
    deployment: { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: deploymentSpec(workload, labels, selector) },
    service: {
      apiVersion: 'v1', kind: 'Service', metadata,
      spec: { type: 'ClusterIP', selector, ports: [{ name: 'main', port: workload.port, protocol: 'TCP', targetPort: 'main' }] },
    },
    ingress: host === undefined ? undefined : {
      apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', metadata,
      spec: {
        ingressClassName: 'adorable',
        rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name, port: { name: 'main' } } } }] } }],
      },
    },
  };
}

function deploymentSpec(workload: Workload, labels: Record<string, string>, selector: Record<string, string>): unknown {
  const { env, envFrom } = workload;
  return {
    replicas: workload.replicas,
    revisionHistoryLimit: 2,
    strategy: { type: 'Recreate' },
    selector: { matchLabels: selector },
    template: {
      metadata: {
        labels: { ...labels, ...(workload.usesDatabase ? { [DATABASE_LABEL]: 'true' } : {}), ...(workload.host === undefined ? {} : { [PUBLIC_LABEL]: 'true' }) },
        annotations: workload.annotations,
      },
      spec: {
        automountServiceAccountToken: false,
        enableServiceLinks: true,
        terminationGracePeriodSeconds: workload.graceSeconds,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [{
          name: 'main',
          image: workload.image,
          ...(env.length > 0 ? { env } : {}),
          ...(envFrom.length > 0 ? { envFrom: envFrom.map((secret) => ({ secretRef: { name: secret } })) } : {}),
          ports: [{ name: 'main', containerPort: workload.port, protocol: 'TCP' }],
          resources: workload.resources,
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          ...workload.probes,
        }],
      },
    },
  };
}

/** Starting is given its own time; readiness is asked often, since a person waits for it. */
export function probesOf(check: Readonly<Record<string, unknown>>, startupSeconds: number, more: { periodSeconds?: number; timeoutSeconds?: number } = {}): Record<string, unknown> {
  const { periodSeconds = 2, timeoutSeconds = 3 } = more;
  return {
    startupProbe: { ...check, periodSeconds, timeoutSeconds, failureThreshold: Math.ceil(startupSeconds / periodSeconds) },
    readinessProbe: { ...check, periodSeconds, timeoutSeconds, failureThreshold: 3 },
  };
}
