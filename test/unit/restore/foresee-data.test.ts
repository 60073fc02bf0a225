/** What a preview says of the data: open transactions in words, and a database that cannot be asked is named, never in the way. */
import { describe, expect, test } from '@jest/globals';
import { foresee } from '../../../activities/records/foresee-data.ts';
import { AdorableError } from '../../../shared/errors.ts';
import type { FailureType } from '../../../shared/errors.ts';
import type { CheckpointId, CommitSha, ProjectId, TenantId, TimelineId, TreeHash } from '../../../shared/ids.ts';
import type { Lsn } from '../../../shared/lsn.ts';
import type { OpenTransactions } from '../../../shared/restore/open-transactions.ts';

const finance = 'a_000000000001';
const names = new Map([[finance, 'finance']]);
const target = { checkpointId: 'cp_000000000001' as CheckpointId, commit: '' as CommitSha, tree: '' as TreeHash, tenantId: '' as TenantId, timelineId: '' as TimelineId, lsn: '0/1' as Lsn, sealed: false };
const open: OpenTransactions = {
  prepared: [{ gid: 'it\'s "one"', owner: finance, since: '2026-01-02T03:04:05.000Z' }], sessions: [{ user: 'directus', since: '2026-01-02T03:04:06.000Z' }],
};
const rows = [{ table: `${finance}.t`, label: 'finance.t', now: 2, then: 1 }];
const deps = { openTransactions: () => Promise.resolve(open), rowChanges: () => Promise.resolve({ rows, prepared: open.prepared }) };
const input = { projectId: 'qiwykfu39n' as ProjectId, target, names, away: undefined };
const fails = (type: FailureType) => () => Promise.reject(new AdorableError(type, 'the reason'));

describe('foresee', () => {
  test('sessions are ended, prepared transactions kept now and revived then, each named by its app', async () => {
    const foreseen = await foresee(deps, input);
    expect(foreseen.rows).toBe(rows);
    expect(foreseen.noticed).toEqual([
      expect.stringMatching(/^prepared transaction "it's \\"one\\"" of finance, in doubt since 2026-01-02.*keeps it with its locks/),
      expect.stringMatching(/^a session of directus in a transaction since .*rolled back$/),
      expect.stringMatching(/^prepared transaction .* of finance, .* at the target: it comes back with its locks/),
    ]);
  });

  test('where the data stays, only what is open now', async () => {
    expect(await foresee(deps, { ...input, target: null })).toEqual({ noticed: [expect.stringContaining('finance'), expect.stringContaining('directus')] });
  });

  test.each(['Unavailable', 'PreconditionFailed', 'Contended'] as const)('%s leaves the rows uncounted and says why', async (type) => {
    const uncounted = expect.stringMatching(/rows are not counted: the reason$/) as unknown;
    expect(await foresee({ ...deps, openTransactions: fails(type) }, input)).toEqual({ noticed: [uncounted] });
    const late = await foresee({ ...deps, rowChanges: fails(type) }, input);
    expect(late.rows).toBeUndefined();
    expect(late.noticed).toHaveLength(3);
    expect(late.noticed.at(-1)).toEqual(uncounted);
  });

  test('a database that was away a moment ago is not asked again', async () => {
    expect(await foresee({ openTransactions: fails('InvariantViolated'), rowChanges: fails('InvariantViolated') }, { ...input, away: 'it hangs' })).toEqual({ noticed: [expect.stringContaining('it hangs')] });
  });

  test('any other failure is the plan\'s failure', async () => {
    await expect(foresee({ ...deps, rowChanges: fails('InvariantViolated') }, input)).rejects.toMatchObject({ type: 'InvariantViolated' });
  });
});
