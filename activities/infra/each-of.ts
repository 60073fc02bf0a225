/**
 * Runs work over items, a few at a time: the API server shares this machine with everything else.
 * After a failure nothing more is begun, and it is told once what was begun has ended.
 */
const AT_ONCE = 8;

export async function eachOf<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const failures: unknown[] = [];
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, async () => {
    for (const item of queue) {
      await work(item).catch((error: unknown) => { failures.push(error); });
      if (failures.length > 0) return;
    }
  }));
  if (failures.length > 0) throw failures[0];
}
