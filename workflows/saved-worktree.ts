/**
 * What people changed in the worktree is HEAD once it is committed, and what runs must follow it: else
 * the namespace is at another moment than git (I1). An operation that turns back cannot take the
 * commit back, since it is theirs; it lets the pods follow instead.
 */
import type { Fenced, Moment } from '../shared/moment.ts';
import type { CommitPoint } from '../shared/ports.ts';
import { code, infra } from './activities.ts';
import type { Served } from './converge.ts';
import { serve } from './converge.ts';
import type { Run } from './run.ts';
import type { Saga } from './saga.ts';

interface Saving {
  readonly saga: Saga;
  readonly current: Moment;
  readonly reason: string;
}

export async function saveWorktree(run: Run, fenced: Fenced, { saga, current, reason }: Saving): Promise<CommitPoint & { committed: boolean }> {
  let saved: { readonly committed: boolean } | undefined;
  return await saga.step('save worktree', async () => {
    const point = await code.commitDirty({ ...fenced, reason });
    saved = point;
    return point;
  }, async (unwinding) => {
    if (saved?.committed === false) return;
    await followHead(run, unwinding, current);
  });
}

/** `current` at whatever HEAD is now, served; a repeat changes nothing. */
export async function followHead(run: Run, fenced: Fenced, current: Moment): Promise<Served> {
  const { commit, tree } = await code.commitDirty({ ...fenced, reason: 'saved before' });
  const input = { ...fenced, moment: { ...current, commit, tree } };
  await code.restoreVersion(input);
  await infra.convergeInfra({ ...input, keepRunning: true });
  return await serve(run, fenced, input.moment);
}
