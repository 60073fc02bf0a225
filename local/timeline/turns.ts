/** One at a time per key, in order of arrival: the server is the only process that changes its state. */
export function createTurns() {
  const last = new Map<string, Promise<unknown>>();
  return async function turn<T>(key: string, work: () => Promise<T> | T): Promise<T> {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.then(() => undefined, () => undefined);
    last.set(key, settled);
    try {
      return await mine;
    } finally {
      if (last.get(key) === settled) last.delete(key);
    }
  };
}
