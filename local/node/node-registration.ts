/**
 * Node `adorable`: registered, kept Ready, its Lease renewed. Without renewals Kubernetes would
 * taint the node after 40 s and evict every pod.
 */
import { cpus, totalmem } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubeCode, type KubeClient } from '../kube-client.ts';
import { errorFields, log } from '../log.ts';
import { now } from './container-runtime.ts';

export const NODE_NAME = 'adorable';
const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
const STATUS_MS = 60_000;
const NODE_PATH = `/api/v1/nodes/${NODE_NAME}`;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/** Registers and keeps registering until the signal fires; resolves after the first success. */
export async function registerNode(kube: KubeClient, instance: string, signal: AbortSignal): Promise<void> {
  const first = Promise.withResolvers<void>();
  void (async () => {
    let lastStatus = 0;
    let uid = '';
    while (!signal.aborted) {
      try {
        if (uid === '' || Date.now() - lastStatus > STATUS_MS) {
          uid = await ensureNode(kube, instance);
          await patchNodeStatus(kube);
          lastStatus = Date.now();
        }
        await renewLease(kube, uid);
        first.resolve();
        await sleep(RENEW_MS, undefined, { signal });
      } catch (error) {
        if (signal.aborted) return;
        log('warn', 'node not registered, trying again', errorFields(error));
        uid = '';
        await sleep(500, undefined, { signal }).catch(() => undefined);
      }
    }
  })();
  await first.promise;
}

async function ensureNode(kube: KubeClient, instance: string): Promise<string> {
  const labels = {
    'kubernetes.io/hostname': NODE_NAME, 'kubernetes.io/os': process.platform,
    'kubernetes.io/arch': process.arch === 'x64' ? 'amd64' : process.arch, 'adorable.dev/instance': instance,
  };
  try {
    return (await kube.request<{ metadata: { uid: string } }>({ method: 'GET', path: NODE_PATH })).metadata.uid;
  } catch (error) {
    if (kubeCode(error) !== 404) throw error;
  }
  const node = await kube.request<{ metadata: { uid: string } }>({
    method: 'POST', path: '/api/v1/nodes', body: { apiVersion: 'v1', kind: 'Node', metadata: { name: NODE_NAME, labels }, spec: {} },
  });
  return node.metadata.uid;
}

async function patchNodeStatus(kube: KubeClient): Promise<void> {
  const current = await kube.request<{ status?: { conditions?: { type: string; status: string; lastTransitionTime: string }[] } }>({ method: 'GET', path: NODE_PATH });
  const condition = (type: string, status: 'True' | 'False', reason: string) => {
    const before = current.status?.conditions?.find((candidate) => candidate.type === type);
    return {
      type, status, reason, message: '', lastHeartbeatTime: now(),
      lastTransitionTime: before?.status === status ? before.lastTransitionTime : now(),
    };
  };
  // A scheduling budget, not a limit: nothing here enforces requests.
  const capacity = { cpu: String(cpus().length * 16), memory: `${String(Math.floor(totalmem() / 1_024) * 4)}Ki`, pods: '1000' };
  await kube.request({
    method: 'PATCH', path: `${NODE_PATH}/status`, patch: 'application/merge-patch+json',
    body: {
      status: {
        capacity, allocatable: capacity,
        addresses: [{ type: 'InternalIP', address: '127.0.0.1' }, { type: 'Hostname', address: NODE_NAME }],
        nodeInfo: {
          architecture: process.arch, operatingSystem: process.platform, kernelVersion: '', osImage: 'local processes',
          containerRuntimeVersion: 'process://1', kubeletVersion: 'adorable-node', kubeProxyVersion: '', bootID: '', machineID: '', systemUUID: '',
        },
        conditions: [
          condition('Ready', 'True', 'ProcessNodeReady'), condition('MemoryPressure', 'False', 'Sufficient'),
          condition('DiskPressure', 'False', 'Sufficient'), condition('PIDPressure', 'False', 'Sufficient'),
        ],
      },
    },
  });
}

/** MicroTime: the server insists on six fractional digits. */
export function microTime(date = new Date()): string {
  return date.toISOString().replace('Z', '000Z');
}

async function renewLease(kube: KubeClient, uid: string): Promise<void> {
  const spec = { holderIdentity: NODE_NAME, leaseDurationSeconds: LEASE_SECONDS, renewTime: microTime() };
  try {
    await kube.request({ method: 'PATCH', path: `${LEASES}/${NODE_NAME}`, patch: 'application/merge-patch+json', body: { spec } });
  } catch (error) {
    if (kubeCode(error) !== 404) throw error;
    const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: NODE_NAME, uid }];
    await kube.request({
      method: 'POST', path: LEASES,
      body: { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: NODE_NAME, namespace: 'kube-node-lease', ownerReferences }, spec },
    });
  }
}
