/** A node whose pods come up at once, or do not, as a test says: pods are real objects, processes are not. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pod } from '../../../activities/infra/cluster.ts';
import type { KubeClient } from '../../../local/kube-client.ts';

export interface FakeKubelet {
  /** Deployments whose pods crash, with their last words. */
  readonly crashing: Map<string, string>;
  stop(): Promise<void>;
}

const now = () => `${new Date().toISOString().slice(0, 19)}Z`;

export async function startFakeKubelet(kube: KubeClient): Promise<FakeKubelet> {
  await kube.request({ method: 'POST', path: '/api/v1/nodes', body: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'fake' } } });
  const crashing = new Map<string, string>();
  const ending = new AbortController();

  async function beat(): Promise<void> {
    const capacity = { cpu: '1000', memory: '1000Gi', pods: '5000' };
    await kube.request({
      method: 'PATCH', path: '/api/v1/nodes/fake/status', patch: 'application/merge-patch+json',
      body: { status: { capacity, allocatable: capacity, conditions: [{ type: 'Ready', status: 'True', reason: 'Fake', lastHeartbeatTime: now(), lastTransitionTime: now() }] } },
    });
  }

  async function serve(pod: Pod): Promise<void> {
    const path = `/api/v1/namespaces/${pod.metadata.namespace ?? ''}/pods/${pod.metadata.name}`;
    if (pod.metadata.deletionTimestamp !== undefined) {
      await kube.request({ method: 'DELETE', path, body: { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } } });
      return;
    }
    const words = crashing.get(pod.metadata.labels?.['app.kubernetes.io/name'] ?? '');
    const ready = words === undefined;
    const isTold = pod.status?.containerStatuses?.[0]?.ready === ready;
    if (isTold) return;
    const common = { name: 'main', image: 'x', imageID: 'x', ready, started: ready, restartCount: ready ? 0 : 3 };
    const state = ready ? { state: { running: { startedAt: now() } }, lastState: {} }
      : { state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } }, lastState: { terminated: { exitCode: 1, reason: 'Error', message: words } } };
    await kube.request({
      method: 'PATCH', path: `${path}/status`, patch: 'application/merge-patch+json',
      body: {
        status: {
          phase: 'Running', startTime: now(), podIP: '10.244.0.9', podIPs: [{ ip: '10.244.0.9' }], containerStatuses: [{ ...common, ...state }],
          conditions: ['Ready', 'ContainersReady', 'Initialized', 'PodScheduled'].map((type) => ({ type, status: ready || type === 'PodScheduled' ? 'True' : 'False', lastTransitionTime: now() })),
        },
      },
    });
  }

  await beat();
  const running = (async () => {
    for (let turn = 1; !ending.signal.aborted; turn++) {
      if (turn % 50 === 0) await beat().catch(() => undefined);
      const { items } = await kube.request<{ items: Pod[] }>({ method: 'GET', path: '/api/v1/pods', query: { fieldSelector: 'spec.nodeName=fake' } }).catch(() => ({ items: [] as Pod[] }));
      // A pod that vanished meanwhile is nobody's concern.
      for (const pod of items) await serve(pod).catch(() => undefined);
      await sleep(60, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return { crashing, stop: async () => { ending.abort(); await running; } };
}
