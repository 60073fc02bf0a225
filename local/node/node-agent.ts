/**
 * Keeps one worker per pod bound to this node, whatever order the API tells things in: pods are
 * known by UID, missed deletes are found at the next list, and terminal pods are not run again.
 */
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startReflector, type Reflector } from '../kube-reflector.ts';
import { errorFields, log } from '../log.ts';
import type { Pod } from './kube-types.ts';
import { readListeners } from './listeners.ts';
import { NODE_NAME } from './node-registration.ts';
import { deletePod, PodWorker, scratchOf, type PodContext } from './pod-worker.ts';
import type { Endpoint } from './service-proxy.ts';

const SWEEP_MS = 5_000;
const REPORT_MS = 5_000;

export interface NodeAgent {
  /** Every pod is known, and none is still shown as Ready by what an earlier node wrote. */
  readonly synced: Promise<void>;
  readyPods(namespace: string): Endpoint[];
  stop(graceMs: number): Promise<void>;
}

export function startNodeAgent(context: Omit<PodContext, 'finished'>): NodeAgent {
  const workers = new Map<string, PodWorker>();
  const full: PodContext = { ...context, finished: (uid) => workers.delete(uid) };

  function onChange(pod: Pod, gone: boolean): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const worker = workers.get(uid);
    if (gone) {
      worker?.orphan();
      return;
    }
    if (worker) {
      worker.update(pod);
      return;
    }
    if (deletionTimestamp) {
      // Nothing of it runs here: an earlier node's processes were ended at start.
      void deletePod(full.kube, pod);
      forget(uid);
      return;
    }
    if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return;
    const started = new PodWorker(pod, full);
    workers.set(uid, started);
    started.run().catch((error: unknown) => {
      log('error', 'a pod worker failed', { pod: pod.metadata.name, ...errorFields(error) });
    });
  }

  function forget(uid: string): void {
    context.addresses.release(uid);
    rmSync(scratchOf(context.scratch, uid), { recursive: true, force: true });
  }

  const pods: Reflector<Pod> = startReflector<Pod>({
    kube: context.kube, path: '/api/v1/pods', query: { fieldSelector: `spec.nodeName=${NODE_NAME}` }, onChange,
  });

  let seen = '';
  const sweep = setInterval(() => {
    for (const worker of workers.values()) worker.trimLog();
    const listeners = readListeners();
    const inodes = listeners.map((listener) => listener.inode).join();
    if (inodes === seen) return;
    seen = inodes;
    for (const worker of workers.values()) worker.checkListeners(listeners);
  }, SWEEP_MS);

  return {
    synced: pods.synced.then(async () => {
      await Promise.race([Promise.all([...workers.values()].map((worker) => worker.reported)), sleep(REPORT_MS, undefined, { ref: false })]);
    }),
    readyPods: (namespace) => [...workers.values()]
      .filter((worker) => worker.isReady && worker.pod.metadata.namespace === namespace)
      .map((worker) => ({ pod: worker.pod, address: worker.address })),
    stop: async (graceMs) => {
      clearInterval(sweep);
      await pods.stop();
      await Promise.all([...workers.values()].map((worker) => worker.stopProcesses(graceMs)));
    },
  };
}
