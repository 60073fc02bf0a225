/** Runs work over items, a few at a time: the API server shares this machine with everything else. */
const AT_ONCE = 8;

export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, async () => {
    for (const item of queue) await work(item);
  }));
}
