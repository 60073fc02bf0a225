/** Timelines with their logs, and the SQL of the compute that serves one of them. */
import { AdorableError } from '../../../shared/errors.ts';
import type { AppId, TimelineId } from '../../../shared/ids.ts';
import { compareLsn } from '../../../shared/lsn.ts';
import type { Fenced } from '../../../shared/moment.ts';
import type { DataActivities } from '../../../shared/ports.ts';
import type { FakeStores } from './stores.ts';
import { below, replay } from './values.ts';
import type { AppRow, Entry, Files, Timeline } from './values.ts';

export function createFakeData(stores: FakeStores): DataActivities {
  const { state } = stores;

  /** The branch's own fence: it rewinds with the branch. */
  function takeFence({ fence }: Pick<Fenced, 'fence'>, timelineId?: TimelineId): Timeline {
    const timeline = stores.served(timelineId);
    if (fence < timeline.fence) throw new AdorableError('StaleFence', 'the database has seen a newer one');
    timeline.fence = fence;
    return timeline;
  }

  function ensureSchema(log: Entry[], schema: AppId): void {
    if (!replay(log).schemas.includes(schema)) log.push({ at: stores.nextLsn(), does: 'create', schema });
  }

  /** Names of the migrations of one app's files that its schema lacks. */
  function pending({ log }: Pick<Timeline, 'log'>, files: Files, { id, slug }: Pick<AppRow, 'id' | 'slug'>): string[] {
    const known = new Set(replay(log).marks.filter(({ owner }) => owner === id).map(({ name }) => name));
    return Object.keys(files).filter((path) => path.startsWith(`apps/${slug}/migrations/`)).map((path) => path.split('/').at(-1) ?? '').filter((name) => !known.has(name)).sort();
  }

  return {
    ensureTenant: (input) => { state.timelines[input.timelineId] ??= { log: [], fence: 0 }; return Promise.resolve(); },
    deleteTenant: () => {
      if (state.computeUp) throw new AdorableError('Unavailable', 'a compute is attached');
      Object.assign(state, { timelines: {}, sealed: [], serving: null, pins: {} });
      return Promise.resolve();
    },
    forkBranch: (input) => {
      const { log } = stores.timeline(input.source.timelineId);
      state.timelines[input.newTimelineId] ??= { log: below(log, input.source.lsn), fence: 0 };
      return Promise.resolve();
    },
    deleteFork: (input) => {
      if (state.computeUp && state.serving === input.timelineId) throw new AdorableError('PreconditionFailed', 'a compute is attached');
      Reflect.deleteProperty(state.timelines, input.timelineId);
      return Promise.resolve();
    },
    repointCompute: (input) => { stores.guard(input, 'data'); return Promise.resolve(); },
    sealTimeline: (input) => Promise.resolve({ lsn: stores.seal(input, input.timelineId) }),
    unsealTimeline: (input) => { stores.guard(input, 'data'); state.sealed = state.sealed.filter((id) => id !== input.timelineId); return Promise.resolve(); },
    emitCheckpointLsn: (input) => { stores.served(input.timelineId); return Promise.resolve({ lsn: stores.nextLsn() }); },
    pinMoment: (input) => {
      stores.timeline(input.timelineId);
      const known = state.pins[input.checkpointId];
      if (known !== undefined && compareLsn(known, input.lsn) !== 0) throw new AdorableError('PreconditionFailed', 'the pin holds another LSN');
      state.pins[input.checkpointId] = input.lsn;
      return Promise.resolve();
    },
    unpinMoment: (input) => { Reflect.deleteProperty(state.pins, input.checkpointId); return Promise.resolve(); },
    ensureAppSchema: (input) => { ensureSchema(takeFence(input).log, input.appId); return Promise.resolve(); },
    dropAppSchema: (input) => {
      const { log } = takeFence(input);
      if (replay(log).schemas.includes(input.appId)) log.push({ at: stores.nextLsn(), does: 'drop', schema: input.appId });
      return Promise.resolve();
    },
    ensureServiceSchema: (input) => { takeFence(input); return Promise.resolve(); },
    dropServiceSchema: (input) => { takeFence(input); return Promise.resolve(); },
    convergeSchema: (input) => {
      const { log } = takeFence(input, input.moment.timelineId);
      const files = stores.files(input.moment.tree);
      const applied: string[] = [];
      for (const { id, slug } of stores.liveApps()) {
        ensureSchema(log, id);
        for (const name of pending({ log }, files, { id, slug })) {
          log.push({ at: stores.nextLsn(), does: 'migrate', schema: id, name });
          applied.push(`${id}/${name}`);
        }
      }
      return Promise.resolve({ applied });
    },
    rehearseMigrations: (input) => {
      const timeline = stores.served();
      const files = stores.files(input.moment.tree);
      const there = stores.liveApps().filter(({ id }) => !input.created.includes(id));
      return Promise.resolve({ changes: there.flatMap((app) => pending(timeline, files, app).map((name) => `${app.id}/${name}`)) });
    },
    proveServing: (input) => { stores.served(input.timelineId); return Promise.resolve({ pgTimelineId: 1, proof: '1/1' }); },
  };
}
