/**
 * The few requests that the supervisor makes itself, over plain HTTPS: it must stay small and start
 * fast, so it does not load the Kubernetes client.
 */
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { layout } from '../paths.ts';
import { readSecret } from '../platform.ts';
import type { Platform } from '../platform.ts';
import { kubeFiles } from './identities.ts';
import type { KubeObject } from './rbac.ts';

const REQUEST_TIMEOUT_MS = 5_000;

export interface KubeAnswer {
  readonly status: number;
  readonly body: string;
}

export interface KubeRequest {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
}

export function callKube(platform: Platform, wanted: KubeRequest): Promise<KubeAnswer> {
  return new Promise((resolve, reject) => {
    const headers: Record<string, string> = { authorization: `Bearer ${readSecret(platform.dataDir, 'admin.token')}` };
    if (wanted.contentType) headers['content-type'] = wanted.contentType;
    const call = request(
      {
        host: '127.0.0.1',
        port: platform.ports.kube,
        method: wanted.method ?? 'GET',
        path: wanted.path,
        headers,
        ca: readFileSync(kubeFiles(layout(platform.dataDir)).certificate),
        timeout: REQUEST_TIMEOUT_MS,
        agent: false,
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.once('error', reject);
      },
    );
    call.once('timeout', () => call.destroy(new Error('the API server did not answer in time')));
    call.once('error', reject);
    call.end(wanted.body);
  });
}

const RESOURCES: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
  ValidatingAdmissionPolicyBinding: 'validatingadmissionpolicybindings',
  PriorityClass: 'priorityclasses',
  RuntimeClass: 'runtimeclasses',
};

/** Server-side apply of a cluster-scoped object of the platform itself. */
export async function applyPlatformObject(platform: Platform, object: KubeObject): Promise<void> {
  const resource = RESOURCES[object.kind];
  if (!resource) throw new Error(`the platform does not apply objects of kind ${object.kind}`);
  const group = object.apiVersion.includes('/') ? `apis/${object.apiVersion}` : `api/${object.apiVersion}`;
  const answer = await callKube(platform, {
    method: 'PATCH',
    path: `/${group}/${resource}/${encodeURIComponent(object.metadata.name)}?fieldManager=adorable-platform&force=true`,
    body: JSON.stringify(object),
    contentType: 'application/apply-patch+yaml',
  });
  if (answer.status >= 300) throw new Error(`apply ${object.kind} ${object.metadata.name}: ${answer.status} ${answer.body.slice(0, 300)}`);
}
