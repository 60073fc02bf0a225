/** Git, as far as workflows see it: HEAD only moves forward, to whatever tree. */
import { AdorableError } from '../../../shared/errors.ts';
import type { CodeActivities } from '../../../shared/ports.ts';
import type { FakeStores } from './stores.ts';
import { NO_COMMIT } from './stores.ts';

export function createFakeCode(stores: FakeStores): CodeActivities {
  const { state } = stores;
  const runOf = (operationId: string) => (state.runs[operationId] ??= {});
  const produced = (revisionId: string) => ({ source: revisionId });

  return {
    ensureRepository: (input) => {
      stores.guard(input, 'code');
      if (!state.repository) Object.assign(state, { repository: true, head: stores.commit({}, input.operationId) });
      return Promise.resolve(state.head);
    },
    commitDirty: (input) => {
      stores.guard(input, 'code');
      const { dirty } = state;
      if (dirty !== null) Object.assign(state, { head: stores.commit(dirty, input.operationId), dirty: null });
      return Promise.resolve({ ...state.head, committed: dirty !== null });
    },
    scaffoldApp: (input) => { stores.guard(input, 'code'); runOf(input.operationId)[input.app.slug] = {}; return Promise.resolve(); },
    produceApp: (input) => {
      stores.guard(input, 'code');
      if (input.previous !== undefined) stores.mended.push(input.previous);
      runOf(input.operationId)[input.bucket.slug] = produced(input.revisionId);
      return Promise.resolve({ files: 1, canMend: (input.previous?.attempt ?? 0) + 1 < stores.produceAttempts });
    },
    checkApp: (input) => {
      stores.guard(input, 'code');
      const files = runOf(input.operationId)[input.bucket.slug];
      if (files === undefined) throw new AdorableError('BuildFailed', `${input.bucket.slug} was never produced`);
      const errors = stores.findings[(input.attempt ?? 1) - 1] ?? [];
      if (errors.length === 0) return Promise.resolve(stores.commit(files, input.operationId));
      const leaves = errors.some(({ kind }) => kind === 'isolation');
      throw new AdorableError(leaves ? 'IsolationViolated' : 'BuildFailed', `attempt ${String(input.attempt)}: ${errors[0]?.message ?? ''}`, { details: { errors } });
    },
    adoptResult: (input) => {
      stores.guard(input, 'code');
      const made = state.runs[input.from]?.[input.bucket.slug];
      if (made === undefined) return Promise.resolve({ point: null });
      runOf(input.operationId)[input.bucket.slug] = made;
      return Promise.resolve({ point: stores.commit(made, input.operationId) });
    },
    composeCommit: (input) => {
      stores.guard(input, 'code');
      const files = { ...stores.files() };
      for (const { slug } of input.buckets) {
        const made = runOf(input.operationId)[slug];
        if (made === undefined) throw new AdorableError('PreconditionFailed', `${slug} has no run ref`);
        for (const [path, content] of Object.entries(made)) files[`apps/${slug}/${path}`] = content;
        const migration = stores.proposal.changes.find((change) => change.slug === slug)?.migration ?? (stores.proposal.creates.some((app) => app.slug === slug) ? '0001' : undefined);
        if (migration !== undefined) files[`apps/${slug}/migrations/${migration}`] = migration;
      }
      return Promise.resolve(stores.commit(files, input.operationId));
    },
    restoreVersion: (input) => {
      stores.guard(input, 'code');
      const { commit, tree } = input.moment;
      if (state.commits[commit]?.tree !== tree) throw new AdorableError('Unreachable', `${commit} is not in this history with that tree`);
      if (state.head.tree !== tree) {
        const isNext = state.commits[commit].parent === state.head.commit;
        // What lies uncommitted in the worktree is kept aside by git; here it is what people lose by not waiting.
        Object.assign(state, { head: isNext ? { commit, tree } : stores.commit(stores.files(tree), input.operationId) });
      }
      return Promise.resolve(state.head);
    },
    dropRun: (input) => { stores.guard(input, 'code'); Reflect.deleteProperty(state.runs, input.operationId); return Promise.resolve(); },
    readCode: () => Promise.resolve({ ...state.head, clean: state.dirty === null }),
    deleteRepository: (input) => {
      stores.guard(input, 'code');
      Object.assign(state, { repository: false, runs: {}, dirty: null, head: NO_COMMIT });
      return Promise.resolve();
    },
  };
}
