/**
 * A list+watch that never dies silently: it resumes from the last resourceVersion, lists again
 * after 410 or any doubt, and backs off while the API is away. Keyed by UID, so that an object
 * deleted and made again under one name is seen as two.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AdorableError } from '../shared/errors.ts';
import { kubeCode, type KubeClient } from './kube-client.ts';
import { errorFields, log } from './log.ts';

export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
    readonly deletionGracePeriodSeconds?: number;
    readonly creationTimestamp?: string;
  };
}

interface ReflectorOptions<T> {
  readonly kube: KubeClient;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Called for each object that was added or changed, and with `gone` for each that vanished. */
  readonly onChange?: (object: T, gone: boolean) => void;
  /** Called after each full list: what is not in `items` does not exist. */
  readonly onSync?: () => void;
}

export interface Reflector<T> {
  readonly items: ReadonlyMap<string, T>;
  /** Resolves after the first full list. */
  readonly synced: Promise<void>;
  stop(): Promise<void>;
}

/** The server ends a watch after this long: a half-dead connection is noticed within it. */
const WATCH_SECONDS = 25;
const MAX_BACKOFF_MS = 2_000;

export function startReflector<T extends KubeObject>(options: ReflectorOptions<T>): Reflector<T> {
  const { kube, path, query = {}, onChange = () => undefined } = options;
  const items = new Map<string, T>();
  const abort = new AbortController();
  const synced = Promise.withResolvers<void>();
  let resourceVersion: string | undefined;

  async function relist(): Promise<void> {
    const list = await kube.request<{ metadata: { resourceVersion: string }; items: T[] }>({
      method: 'GET', path, query, signal: abort.signal,
    });
    const listed = new Map(list.items.map((item) => [item.metadata.uid, item]));
    for (const [uid, item] of [...items]) {
      if (listed.has(uid)) continue;
      items.delete(uid);
      onChange(item, true);
    }
    for (const [uid, item] of listed) {
      const known = items.get(uid);
      items.set(uid, item);
      if (known?.metadata.resourceVersion !== item.metadata.resourceVersion) onChange(item, false);
    }
    resourceVersion = list.metadata.resourceVersion;
    options.onSync?.();
    synced.resolve();
  }

  async function watch(): Promise<void> {
    const signal = AbortSignal.any([abort.signal, AbortSignal.timeout((WATCH_SECONDS + 5) * 1_000)]);
    const lines = kube.lines({
      method: 'GET', path, signal,
      query: { ...query, watch: true, allowWatchBookmarks: true, resourceVersion, timeoutSeconds: WATCH_SECONDS },
    });
    for await (const line of lines) {
      const event = JSON.parse(line) as { type: string; object: T };
      if (event.type === 'ERROR') {
        throw new AdorableError('Unreachable', `The watch of ${path} was ended by the server.`, { details: { code: 410 } });
      }
      resourceVersion = event.object.metadata.resourceVersion;
      if (event.type === 'BOOKMARK') continue;
      const gone = event.type === 'DELETED';
      if (gone) items.delete(event.object.metadata.uid);
      else items.set(event.object.metadata.uid, event.object);
      onChange(event.object, gone);
    }
  }

  async function run(): Promise<void> {
    let backoff = 100;
    while (!abort.signal.aborted) {
      const began = Date.now();
      try {
        if (resourceVersion === undefined) await relist();
        await watch();
        backoff = 100;
      } catch (error) {
        if (abort.signal.aborted) return;
        resourceVersion = undefined;
        if (Date.now() - began > 10_000) backoff = 100;
        if (kubeCode(error) !== 410) log('warn', 'watch interrupted, listing again', { path, ...errorFields(error) });
        await sleep(backoff, undefined, { signal: abort.signal }).catch(() => undefined);
        backoff = Math.min(backoff * 2, MAX_BACKOFF_MS);
      }
    }
  }

  const running = run();
  return {
    items,
    synced: synced.promise,
    stop: async () => {
      abort.abort();
      await running;
    },
  };
}
