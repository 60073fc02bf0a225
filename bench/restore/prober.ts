/** A client that asks all the time: what it saw between two good answers is the downtime. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../statistics.ts';

/** Short beside what is measured, long enough to leave the machine's cores to the restore. */
const PAUSE_MS = 15;

export interface Prober {
  /** Ends with a good answer, however long that takes, so that the last gap is whole. */
  stop(): Promise<readonly Answer[]>;
  /** Ends without waiting for one. */
  abandon(): void;
}

export function startProber(ask: () => Promise<boolean>): Prober {
  const answers: Answer[] = [];
  const wish = { end: false, evenIfBad: false };
  const over = (async () => {
    for (;;) {
      // A refused or cut connection is what a client sees of an outage.
      const good = await ask().catch(() => false);
      answers.push({ at: performance.now(), good });
      if (wish.end && (good || wish.evenIfBad)) return;
      await sleep(PAUSE_MS);
    }
  })();
  return {
    stop: async () => {
      wish.end = true;
      await over;
      return answers;
    },
    abandon: () => { Object.assign(wish, { end: true, evenIfBad: true }); },
  };
}
