/** Polls with a limit, heartbeats, and ends at once when the activity is cancelled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AdorableError } from '../../shared/errors.ts';
import type { ActivityContext } from './infra-deps.ts';

/** A client waits through most of these: what they add to an outage is half of it each. */
const POLL_MS = 40;
/** For one small question whose answer is nearly there. */
export const SOON_MS = 10;
/** What takes long is asked for less often: seen at most a twentieth of its time late, and the API server is left alone. */
const LATE = 20;
const LONGEST_POLL_MS = 500;

export const NO_CONTEXT: ActivityContext = { heartbeat: () => undefined, signal: new AbortController().signal };

/** The check's first answer that is not undefined, or undefined when the limit has passed. */
export async function waitFor<T>(context: ActivityContext, limitMs: number, check: () => Promise<T | undefined>, pollMs = POLL_MS): Promise<T | undefined> {
  const began = Date.now();
  for (const deadline = began + limitMs; ; ) {
    if (context.signal.aborted) throw new AdorableError('Cancelled', 'The wait was cancelled.');
    context.heartbeat();
    const value = await check();
    if (value !== undefined) return value;
    const now = Date.now();
    if (now >= deadline) return undefined;
    const pauseMs = Math.min(Math.max(pollMs, (now - began) / LATE), LONGEST_POLL_MS, deadline - now);
    await sleep(pauseMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
}
