/** Two pieces of one activity: neither runs on into the next attempt. */
import { expect, test } from '@jest/globals';
import { sideBySide } from '../../../activities/infra/infra-run.ts';
import type { InfraRun } from '../../../activities/infra/infra-run.ts';
import { waitFor } from '../../../activities/infra/waiting.ts';
import { AdorableError } from '../../../shared/errors.ts';

function runOf(signal: AbortSignal): InfraRun {
  return { context: { heartbeat: () => undefined, signal }, until: (other: AbortSignal) => runOf(AbortSignal.any([signal, other])) } as unknown as InfraRun;
}

test('both answers, in their order', async () => {
  expect(await sideBySide(runOf(new AbortController().signal), () => Promise.resolve(1), () => Promise.resolve('two'))).toEqual([1, 'two']);
});

test('the first failure ends the wait of the other, and is told once that one has ended', async () => {
  let ended = false;
  const waiting = async ({ context }: InfraRun): Promise<void> => {
    await waitFor(context, 60_000, () => Promise.resolve(undefined)).finally(() => { ended = true; });
  };
  const failing = () => Promise.reject(new AdorableError('StaleFence', 'overtaken'));
  for (const pieces of [[waiting, failing], [failing, waiting]] as const) {
    ended = false;
    await expect(sideBySide(runOf(new AbortController().signal), pieces[0], pieces[1])).rejects.toMatchObject({ type: 'StaleFence' });
    expect(ended).toBe(true);
  }
});

test('cancelled from outside: both waits end', async () => {
  const outside = new AbortController();
  const waiting = ({ context }: InfraRun) => waitFor(context, 60_000, () => Promise.resolve(undefined));
  const done = sideBySide(runOf(outside.signal), waiting, waiting);
  outside.abort();
  await expect(done).rejects.toMatchObject({ type: 'Cancelled' });
});
