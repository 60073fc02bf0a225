/** The namespace: what the moment's checkpoint declares, rendered and run; and the receipt over all stores. */
import { AdorableError } from '../../../shared/errors.ts';
import type { InfraActivities, VerifyActivities } from '../../../shared/ports.ts';
import type { Difference, Receipt } from '../../../shared/restore/plan.ts';
import type { FakeStores } from './stores.ts';

export function createFakeInfra(stores: FakeStores): InfraActivities & VerifyActivities {
  const { state } = stores;
  const unchanged = { created: 0, configured: 0, unchanged: 0, deleted: 0, tornDown: [], deprovisioned: [] };

  return {
    ensureNamespace: (input) => { stores.guard(input, 'infra'); state.namespace = true; return Promise.resolve(); },
    ensureSecrets: () => Promise.resolve(),
    startCompute: (input) => {
      stores.guard(input, 'infra');
      stores.guard(input, 'data');
      const { timelineId } = input.moment;
      stores.timeline(timelineId);
      state.sealed = state.sealed.filter((id) => id !== timelineId);
      Object.assign(state, { computeUp: true, serving: timelineId });
      return Promise.resolve();
    },
    stopCompute: (input) => {
      stores.guard(input, 'infra');
      state.computeUp = false;
      return Promise.resolve({ lsn: stores.seal(input, input.moment.timelineId) });
    },
    freeze: (input) => { stores.guard(input, 'infra'); stores.guard(input, 'data'); Object.assign(state, { gateway: 'restoring', appsUp: false }); return Promise.resolve(); },
    convergeInfra: (input) => {
      stores.guard(input, 'infra');
      if (!input.keepRunning) state.appsUp = false;
      state.deployed = { tree: input.moment.tree, apps: stores.checkpoint(input.moment.checkpointId).apps };
      return Promise.resolve(unchanged);
    },
    startTiers: (input) => { stores.guard(input, 'infra'); state.appsUp = true; return Promise.resolve({ healthy: ['app'], degraded: [] }); },
    seedServices: () => Promise.resolve(),
    open: (input) => { stores.guard(input, 'infra'); state.gateway = 'open'; return Promise.resolve(); },
    deleteNamespace: (input) => {
      stores.guard(input, 'infra');
      Object.assign(state, { namespace: false, computeUp: false, appsUp: false, gateway: 'open', deployed: null });
      return Promise.resolve();
    },

    verifyMoment: ({ moment }) => {
      const differences: Difference[] = [];
      const compare = (store: Difference['store'], what: string, [expected, found]: [unknown, unknown]): void => {
        if (JSON.stringify(expected) !== JSON.stringify(found)) differences.push({ store, what, expected: JSON.stringify(expected), found: JSON.stringify(found) });
      };
      const apps = [...stores.checkpoint(moment.checkpointId).apps].sort();
      const { schemas } = stores.data();
      compare('git', 'tree', [moment.tree, state.head.tree]);
      compare('timeline', 'serving', [moment.timelineId, state.computeUp ? state.serving : null]);
      compare('timeline', 'schemas', [apps, apps.filter((id) => schemas.includes(id))]);
      compare('rows', 'apps', [apps, stores.liveApps().map(({ id }) => id).sort()]);
      compare('namespace', 'deployed', [{ tree: moment.tree, apps }, state.deployed === null ? null : { ...state.deployed, apps: [...state.deployed.apps].sort() }]);
      const receipt: Receipt = {
        checkpointId: moment.checkpointId, ok: differences.length === 0, commit: moment.commit, tree: state.head.tree, timelineId: moment.timelineId,
        pgTimelineId: 1, systemIdentifier: '1', apps, services: [], objects: 1, objectsDigest: '', declaredDigest: '', digest: '', differences, noticed: [],
      };
      return Promise.resolve(receipt);
    },
    verifyCheckpoint: () => { throw new AdorableError('InvariantViolated', 'no test asks the fake world for it'); },
  };
}
