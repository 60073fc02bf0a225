/**
 * So many at once, in order of arrival, and the others wait: a check fills a core, and more of them than there
 * are cores only make each other late. Whoever is cancelled while it waits leaves at once.
 */
export type InSlot = <T>(signal: AbortSignal | undefined, work: () => Promise<T>) => Promise<T>;

export function createSlots(count: number): InSlot {
  let free = count;
  const waiting = new Set<() => void>();

  async function enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      waiting.delete(resolve);
      reject(signal?.reason as Error);
    };
    waiting.add(resolve);
    signal?.addEventListener('abort', leave, { once: true });
    try {
      await promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** The slot goes to the next one directly: nobody who comes meanwhile takes it. */
  function pass(): void {
    const [next] = waiting;
    if (next === undefined) free += 1;
    else {
      waiting.delete(next);
      next();
    }
  }

  return async (signal, work) => {
    await enter(signal);
    try {
      signal?.throwIfAborted();
      return await work();
    } finally {
      pass();
    }
  };
}
