/**
 * A namespace's pods, or these and its Deployments, looked at until they are as wanted: read once, then watched. A
 * client waits through most of these, so an answer must not wait for the next poll. What a watch says is
 * confirmed by a read every second: an API server that is away fails the activity, which is tried again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { startReflector } from '../../local/kube-reflector.ts';
import type { Reflector } from '../../local/kube-reflector.ts';
import type { KubeClient } from '../../local/kube-client.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { Cluster, LiveObject, Pod } from './cluster.ts';
import type { ActivityContext } from './infra-deps.ts';

export interface Seen {
  /** Empty where pods alone are looked at. */
  readonly deployments: readonly LiveObject[];
  readonly pods: readonly Pod[];
}

export interface Observation {
  readonly kube: KubeClient;
  readonly cluster: Cluster;
  readonly context: ActivityContext;
  readonly namespace: string;
}

export type Looked = 'pods' | 'pods and Deployments';

const READ_MS = 1_000;

/** The check's first answer that is not undefined, or undefined when the limit has passed. */
export async function observe<T>(observation: Observation, looked: Looked, limitMs: number, check: (seen: Seen) => T | undefined): Promise<T | undefined> {
  const { context } = observation;
  const refuseCancelled = (): void => {
    if (context.signal.aborted) throw new AdorableError('Cancelled', 'The wait was cancelled.');
  };
  refuseCancelled();
  const deadline = Date.now() + limitMs;
  const first = check(await readSeen(observation, looked));
  if (first !== undefined) return first;
  const watching = startWatching(observation, looked);
  try {
    for (let readAt = Date.now() + READ_MS; ; ) {
      const { seen } = await watching.changedWithin(Math.min(readAt, deadline) - Date.now());
      refuseCancelled();
      context.heartbeat();
      const isOver = Date.now() >= deadline;
      const mustRead = isOver || Date.now() >= readAt;
      if (mustRead) readAt = Date.now() + READ_MS;
      const current = mustRead ? await readSeen(observation, looked) : seen;
      const value = current === undefined ? undefined : check(current);
      if (value !== undefined) return value;
      if (isOver) return undefined;
    }
  } finally {
    await watching.stop();
  }
}

async function readSeen({ cluster, namespace }: Observation, looked: Looked): Promise<Seen> {
  const [deployments, pods] = await Promise.all([looked === 'pods' ? [] : cluster.list('Deployment', namespace), cluster.listPods(namespace)]);
  return { deployments, pods };
}

interface Watching {
  /** Undefined until all were listed. */
  changedWithin(ms: number): Promise<{ readonly seen: Seen | undefined }>;
  stop(): Promise<void>;
}

function startWatching({ kube, context, namespace }: Observation, looked: Looked): Watching {
  let changed = Promise.withResolvers<void>();
  const wake = (): void => { changed.resolve(); };
  const follow = <T extends LiveObject>(path: string): Reflector<T> => startReflector<T>({ kube, path, onChange: wake, onSync: wake });
  const pods = follow<Pod>(`/api/v1/namespaces/${namespace}/pods`);
  const deployments = looked === 'pods' ? undefined : follow<LiveObject>(`/apis/apps/v1/namespaces/${namespace}/deployments`);
  let isListed = false;
  void Promise.all([pods.synced, deployments?.synced]).then(() => { isListed = true; wake(); });
  context.signal.addEventListener('abort', wake, { once: true });
  return {
    async changedWithin(ms) {
      const late = new AbortController();
      await Promise.race([changed.promise, sleep(Math.max(0, ms), undefined, { signal: late.signal }).catch(() => undefined)]);
      late.abort();
      // What changes while this is looked at is seen the next time.
      changed = Promise.withResolvers<void>();
      return { seen: isListed ? { deployments: [...(deployments?.items.values() ?? [])], pods: [...pods.items.values()] } : undefined };
    },
    async stop() {
      context.signal.removeEventListener('abort', wake);
      await Promise.all([pods.stop(), deployments?.stop()]);
    },
  };
}
