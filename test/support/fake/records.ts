/**
 * The platform's rows: claims, the decision by compare-and-set with everything that moves in its
 * transaction, apps archived and reactivated, checkpoints. The plan of a restore is the product's own.
 */
import { AdorableError } from '../../../shared/errors.ts';
import type { OperationId } from '../../../shared/ids.ts';
import type { Directions, MaterializedApp, RecordsActivities } from '../../../shared/ports.ts';
import { redoStackAfter } from '../../../shared/restore/undo.ts';
import { planFakeRestore } from './plan.ts';
import type { FakeStores } from './stores.ts';
import type { CheckpointRow, DeclaredApps, OperationRow } from './values.ts';

export function createFakeRecords(stores: FakeStores): RecordsActivities {
  const { state } = stores;
  const position = () => ({ position: state.position, timelineId: state.timelineId, redoStack: state.redoStack });
  const declared = (): DeclaredApps => stores.liveApps().map(({ id }) => id).sort();

  function applyDeclared(apps: DeclaredApps): void {
    for (const app of state.apps) {
      if (app.state === 'live' && !apps.includes(app.id)) app.archived = true;
      if (apps.includes(app.id)) Object.assign(app, { state: 'live', archived: false });
    }
  }

  function takePosition(row: OperationRow): void {
    const { forward } = row;
    if (row.kind === 'delete' || forward === null) return;
    const target = stores.checkpoint(forward.checkpointId);
    applyDeclared(target.apps);
    if (row.kind === 'restore' && row.restore !== null) {
      const snapshot = stores.checkpoint(row.restore.snapshotId);
      stores.put({ ...target, status: 'complete', lsn: target.lsn ?? snapshot.lsn, sealed: target.lsn === null ? false : target.sealed });
    }
    Object.assign(state, { position: target.checkpointId, timelineId: forward.timelineId, redoStack: redoStackAfter(state.redoStack, row.kind, row.restore) });
  }

  function recordDirections(row: OperationRow, { forward, back }: Directions): void {
    Object.assign(row, { forward, back });
    const target = state.checkpoints[forward.checkpointId];
    if (target?.status === 'intent') stores.put({ ...target, commit: forward.commit, tree: forward.tree });
  }

  const setStatus = (row: CheckpointRow | undefined, status: CheckpointRow['status']): void => { if (row !== undefined) stores.put({ ...row, status }); };
  const ofOperation = (operationId: OperationId): CheckpointRow[] => Object.values(state.checkpoints).filter((row) => row.operationId === operationId);

  return {
    ensureProject: () => { if (stores.operations.size === 0) state.exists = true; return Promise.resolve(); },
    claimOperation: ({ projectId, operationId, kind, runId }) => {
      const open = [...stores.operations].find(([, row]) => row.outcome === null);
      if (!state.exists && open === undefined) throw new AdorableError('NotFound', 'no project');
      const own = stores.operations.get(operationId);
      if (own !== undefined && own.outcome !== null) throw new AdorableError('PreconditionFailed', 'ended already');
      const base = { projectId, operationId, name: 'Home', current: stores.here() };
      if (own?.runId === runId) return Promise.resolve({ ...base, fence: state.fence, abandoned: null });
      state.fence += 1;
      if (open !== undefined) {
        const [id, { kind: left, decision, final, forward, back }] = open;
        return Promise.resolve({ ...base, fence: state.fence, abandoned: { operationId: id, kind: left, decision, final, forward, back, current: base.current } });
      }
      stores.operations.set(operationId, { kind, runId, decision: null, final: false, outcome: null, forward: null, back: null, before: null, restore: null });
      return Promise.resolve({ ...base, fence: state.fence, abandoned: null });
    },
    readCurrentMoment: () => {
      const here = stores.here();
      if (here === null) throw new AdorableError('PreconditionFailed', 'never provisioned');
      return Promise.resolve(here);
    },
    raiseOperationFence: (input) => {
      // From the caller's fence to the next one, once.
      if (state.fence === input.fence) state.fence += 1;
      stores.guard({ fence: input.fence + 1 });
      return Promise.resolve({ fence: state.fence });
    },
    planRestore: (input) => Promise.resolve(planFakeRestore(stores, input)),

    recordCheckpointIntent: (input) => {
      stores.guard(input);
      const { moment, operationId, kind, parentId, declaredFrom } = input;
      if (state.checkpoints[moment.checkpointId]?.status === 'complete') return Promise.resolve();
      const pending = declaredFrom === 'rows' ? [] : state.apps.filter((app) => app.state === 'pending' && app.operationId === operationId).map(({ id }) => id);
      stores.put({ ...moment, operationId, kind, parentId, aliasOf: null, apps: [...declared(), ...pending].sort(), status: 'intent', lsn: null, sealed: false, marks: null });
      return Promise.resolve();
    },
    completeCheckpoint: (input) => {
      stores.guard(input);
      const row = stores.checkpoint(input.checkpointId);
      if (row.status === 'void') throw new AdorableError('PreconditionFailed', 'it was voided');
      const { commit, tree, lsn, sealed } = input;
      stores.put({ ...row, status: 'complete', commit, tree, lsn, sealed, marks: row.marks ?? (sealed ? null : stores.data().marks) });
      if (input.makeCurrent) {
        Object.assign(state, { position: row.checkpointId, timelineId: row.timelineId });
        stores.operation(input.operationId).decision ??= 'target';
      }
      return Promise.resolve();
    },
    voidCheckpoint: (input) => {
      stores.guard(input);
      for (const row of ofOperation(input.operationId)) {
        if ((row.checkpointId === input.checkpointId || row.status === 'intent') && row.checkpointId !== state.position) setStatus(row, 'void');
      }
      return Promise.resolve();
    },
    decide: (input) => {
      stores.guard(input);
      const row = stores.operation(input.operationId);
      if (row.decision === null) {
        const { directions, snapshot } = input;
        if (snapshot !== undefined) stores.put({ ...stores.checkpoint(snapshot.checkpointId), ...snapshot, status: 'complete' });
        if (directions !== undefined) recordDirections(row, directions);
        Object.assign(row, { decision: input.decision, before: position() });
        if (input.decision === 'target') takePosition(row);
      }
      return Promise.resolve({ decision: row.decision ?? input.decision });
    },
    decideBack: (input) => {
      stores.guard(input);
      const row = stores.operation(input.operationId);
      const { back, before, forward } = row;
      if (row.decision !== 'back' && row.final) return Promise.resolve({ decision: 'target' });
      if (row.decision !== 'back' && back !== null && before !== null) {
        row.decision = 'back';
        applyDeclared(stores.checkpoint(back.checkpointId).apps);
        // Where the project ran, or the fork that a migrating generation kept of it.
        Object.assign(state, before, { timelineId: back.timelineId });
        if (forward !== null) setStatus(state.checkpoints[forward.checkpointId], 'void');
      }
      return Promise.resolve({ decision: 'back' });
    },
    convergeRows: (input) => { stores.guard(input); applyDeclared(stores.checkpoint(input.moment.checkpointId).apps); return Promise.resolve(); },
    finalize: (input) => { stores.guard(input); stores.operation(input.operationId).final = true; return Promise.resolve(); },
    closeOperation: (input) => { stores.operation(input.operationId).outcome ??= input.outcome; return Promise.resolve(); },

    planGeneration: (input) => {
      stores.guard(input);
      const { revisionId, creates } = stores.proposal;
      return Promise.resolve({ revisionId, creates, addsServices: [], reuse: input.resumes === true ? stores.reuse : null });
    },
    ensurePendingApp: (input) => {
      stores.guard(input);
      const { appId, slug } = input.app;
      if (state.apps.some((app) => app.slug === slug && !app.archived && app.id !== appId)) throw new AdorableError('UnmaterializedApp', `the slug ${slug} is taken`);
      const own = state.apps.find((app) => app.id === appId);
      if (own === undefined) state.apps.push({ id: appId, slug, state: 'pending', archived: false, operationId: input.operationId });
      else if (own.state === 'pending') Object.assign(own, { archived: false, operationId: input.operationId });
      return Promise.resolve();
    },
    dropPendingApp: (input) => { stores.guard(input); state.apps = state.apps.filter((app) => !(app.id === input.appId && app.state === 'pending')); return Promise.resolve(); },
    resolveCreatesAppSentinels: (input) => { stores.guard(input); return Promise.resolve(); },
    bucketPlan: () => {
      const { creates, changes } = stores.proposal;
      const made = creates.map(({ appId, slug, featureId }: MaterializedApp) => ({ appId, slug, featureIds: [featureId] }));
      const changed = changes.map(({ slug }) => {
        const app = stores.liveApps().find((row) => row.slug === slug);
        // Never another app instead (I4).
        if (app === undefined) throw new AdorableError('UnresolvedTarget', `no live app ${slug}`);
        return { appId: app.id, slug, featureIds: [slug] };
      });
      return Promise.resolve([...made, ...changed]);
    },
    pendingOf: (input) => Promise.resolve({ apps: state.apps.filter((app) => app.operationId === input.operationId).map(({ id }) => id), services: [] }),
    archiveProject: (input) => {
      stores.guard(input);
      Object.assign(state, { exists: false, apps: state.apps.map((app) => ({ ...app, archived: true })).filter((app) => app.state === 'live') });
      for (const row of Object.values(state.checkpoints)) setStatus(row, 'void');
      return Promise.resolve();
    },
  };
}

