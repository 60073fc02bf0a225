/** A restore's plan over the fake stores: targets, refusals and schema changes by the product's own pure code. */
import { forkTimelineId, operationCheckpointId, shortDigest } from '../../../shared/derive.ts';
import { AdorableError } from '../../../shared/errors.ts';
import type { Fenced, Moment, RecordedMoment } from '../../../shared/moment.ts';
import type { RecordsActivities } from '../../../shared/ports.ts';
import type { RestorePlan } from '../../../shared/restore/plan.ts';
import { migrationsSince, refuseParting, refuseUnknown } from '../../../shared/restore/schema-changes.ts';
import type { SchemaMark } from '../../../shared/restore/schema-changes.ts';
import { refuseCurrent, resolveTarget } from '../../../shared/restore/undo.ts';
import type { MomentTree } from '../../../shared/restore/undo.ts';
import type { FakeStores } from './stores.ts';
import type { CheckpointRow } from './values.ts';

function treeOfMoments({ state }: FakeStores, current: Moment['checkpointId']): MomentTree {
  const slugs = new Map(state.apps.map((app) => [app.id, app.slug]));
  const rows = Object.values(state.checkpoints).filter((row) => row.status === 'complete' || row.checkpointId === current);
  return {
    nodes: new Map(rows.map((row, ordinal) => [row.checkpointId, {
      id: row.checkpointId, kind: row.kind, parentId: row.parentId, aliasOf: row.aliasOf, slugs: row.apps.map((id) => slugs.get(id) ?? id), ordinal,
    }])),
    current, redoStack: state.redoStack,
  };
}

function recorded(row: CheckpointRow): RecordedMoment {
  const { checkpointId, commit, tree, tenantId, timelineId, lsn, sealed } = row;
  if (lsn === null || row.status !== 'complete') throw new AdorableError('Unreachable', `${checkpointId} was never completed`);
  return { checkpointId, commit, tree, tenantId, timelineId, lsn, sealed };
}

export function planFakeRestore(stores: FakeStores, { target: wanted, mode, expect, acceptDrift = false, record }: Parameters<RecordsActivities['planRestore']>[0]): RestorePlan {
  const { state } = stores;
  const here = stores.here();
  if (here === null) throw new AdorableError('PreconditionFailed', 'never provisioned');
  const tree = treeOfMoments(stores, here.checkpointId);
  const row = stores.checkpoint(resolveTarget(tree, wanted));
  const target = recorded(row);
  refuseCurrent(tree, target.checkpointId, mode);
  if (mode !== 'code') stores.timeline(target.timelineId);
  const digest = shortDigest(JSON.stringify([target.checkpointId, mode, here.commit, here.timelineId, record === undefined ? state.fence : state.fence - 1]));
  if (expect !== undefined && expect !== digest) throw new AdorableError('ExpectationFailed', `it is ${digest} now`);
  const { marks } = stores.data();
  const schemaChanges = migrationsSince(marks, row.marks ?? marks, new Map(state.apps.map((app) => [app.id, app.slug])));
  if (mode !== 'all' && !acceptDrift) {
    refuseUnknown(row.marks, target.checkpointId, mode);
    refuseParting(schemaChanges, target.checkpointId, mode);
  }
  const plan: RestorePlan = {
    mode, current: here, target, targetKind: row.kind, redo: wanted === 'redo', archiveApps: [], reactivateApps: [], archiveRevisions: 0,
    reactivateRevision: null, deprovisionServices: [], reprovisionServices: [], schemaChanges, revives: [], notCovered: [], noticed: [], digest,
  };
  if (record !== undefined) recordIntents(stores, record, { plan, row, marks });
  return plan;
}

/** The snapshot's intent, the node that will alias the target, and both directions; once. */
function recordIntents(stores: FakeStores, fenced: Fenced, { plan, row, marks }: { plan: RestorePlan; row: CheckpointRow; marks: readonly SchemaMark[] }): void {
  stores.guard(fenced);
  const { operationId } = fenced;
  const { mode, current: here, target } = plan;
  const [snapshotId, nodeId] = [operationCheckpointId(operationId, 'pre-restore'), operationCheckpointId(operationId, 'target')];
  const code = mode === 'data' ? here : target;
  const apps = stores.liveApps().map(({ id }) => id).sort();
  if (stores.state.checkpoints[snapshotId] === undefined) {
    stores.put({ ...here, checkpointId: snapshotId, operationId, kind: 'pre-restore', parentId: here.checkpointId, aliasOf: null, apps, status: 'intent', lsn: null, sealed: false, marks });
  }
  if (stores.state.checkpoints[nodeId] === undefined) {
    const from = mode === 'code' ? { timelineId: here.timelineId, lsn: null, sealed: false } : { timelineId: target.timelineId, lsn: target.lsn, sealed: target.sealed };
    stores.put({
      checkpointId: nodeId, operationId, kind: mode === 'all' ? row.kind : 'manual', parentId: snapshotId, aliasOf: mode === 'all' ? row.checkpointId : null,
      commit: code.commit, tree: code.tree, tenantId: here.tenantId, ...from, apps: mode === 'data' ? apps : row.apps, status: 'intent', marks: mode === 'code' ? marks : row.marks,
    });
  }
  const timelineId = mode === 'code' ? here.timelineId : forkTimelineId(operationId);
  Object.assign(stores.operation(operationId), {
    forward: { checkpointId: nodeId, commit: code.commit, tree: code.tree, tenantId: here.tenantId, timelineId }, back: here, restore: { redo: plan.redo, snapshotId },
  });
}
