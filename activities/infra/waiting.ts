/** Polls with a limit, heartbeats, and ends at once when the activity is cancelled. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AdorableError } from '../../shared/errors.ts';
import type { ActivityContext } from './infra-deps.ts';

/** A client waits through most of these: what they add to an outage is half of it each. */
const POLL_MS = 40;
/** For one small question whose answer is nearly there. */
export const SOON_MS = 10;

export const NO_CONTEXT: ActivityContext = { heartbeat: () => undefined, signal: new AbortController().signal };

/** The check's first answer that is not undefined, or undefined when the limit has passed. */
export async function waitFor<T>(context: ActivityContext, limitMs: number, check: () => Promise<T | undefined>, pollMs = POLL_MS): Promise<T | undefined> {
  for (const deadline = Date.now() + limitMs; ; ) {
    if (context.signal.aborted) throw new AdorableError('Cancelled', 'The wait was cancelled.');
    context.heartbeat();
    const value = await check();
    if (value !== undefined) return value;
    if (Date.now() >= deadline) return undefined;
    await sleep(pollMs, undefined, { signal: context.signal }).catch(() => undefined);
  }
}
