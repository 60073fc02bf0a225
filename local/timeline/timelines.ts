/**
 * The life of timelines: created, pinned, attached to one compute at a time, sealed, deleted. A
 * seal is a fact of this server: no compute can attach to a sealed timeline, so the LSN it answers
 * is the end of every acknowledged write (I3).
 */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseTenantId, parseTimelineId, type ProjectId, type TenantId, type TimelineId } from '../../shared/ids.ts';
import { compareLsn, type Lsn } from '../../shared/lsn.ts';
import { isAlive, type ProcessIdentity } from '../process-identity.ts';
import { badRequest, conflict, inTheWay, notFound, preconditionFailed, staleFence, unusableLsn } from './answer.ts';
import { syncFilesystem } from './copy-tree.ts';
import { createTimeline, discard, isHalfMade, minReadableLsn, newestBaseLsn, type ForkPoint } from './create-timeline.ts';
import { endOfWal, readPgControl } from './pg-control.ts';
import { endProcessesIn, processesIn, runUntilStopped } from './postgres-process.ts';
import { DELETED, type StateStore, type TimelineState } from './state.ts';
import { createTurns } from './turns.ts';

export interface TimelinesOptions {
  readonly store: StateStore;
  readonly binaries: string;
  readonly uidOf: (project: ProjectId) => Promise<number | undefined>;
  /** A running timeline gets another base once this much WAL followed the last one. */
  readonly baseAfterBytes: number;
}

export interface ForkRequest {
  readonly ancestor: TimelineId;
  /** Left out: the end of a stopped source. */
  readonly lsn: Lsn | undefined;
  readonly isThrowAway?: boolean;
}

export interface AttachRequest extends ProcessIdentity {
  readonly compute: string;
  readonly fence: number;
}

/** How long an abandoned PostgreSQL may take to stop by itself before it is killed. */
const POLITE_MS = 10_000;

export function createTimelines({ store, binaries, uidOf, baseAfterBytes }: TimelinesOptions) {
  const turn = createTurns();
  const forksOf = new Map<TimelineId, number>();

  function require(tenantId: TenantId, timelineId: TimelineId): TimelineState {
    const state = store.readTimeline(tenantId, timelineId);
    if (!state) throw notFound(`Tenant ${tenantId} has no timeline ${timelineId}.`);
    return state;
  }

  function requireTenant(tenantId: TenantId) {
    const tenant = store.readTenant(tenantId);
    if (!tenant) throw notFound(`There is no tenant ${tenantId}.`);
    return tenant;
  }

  const pgdataOf = (state: TimelineState) => join(store.folder(state.tenantId, state.timelineId), 'pgdata');

  /** Ends what a dead compute left running and forgets it; a live one stays. */
  async function reap(state: TimelineState): Promise<TimelineState> {
    if (state.attached && isAlive(state.attached)) return state;
    if (processesIn(pgdataOf(state)).length > 0) await endProcessesIn(pgdataOf(state), POLITE_MS);
    // Its pid may since be a stranger's or a zombie's, and PostgreSQL would refuse to start beside it.
    rmSync(join(pgdataOf(state), 'postmaster.pid'), { force: true });
    if (!state.attached) return state;
    const { attached: _gone, ...free } = state;
    store.writeTimeline(free);
    return free;
  }

  function checkFence(tenantId: TenantId, fence: number | undefined): void {
    const endpoint = store.readEndpoint(requireTenant(tenantId).projectId);
    if (fence !== undefined && endpoint && fence < endpoint.fence) throw staleFence(fence, endpoint.fence);
  }

  /** The end of WAL of a directory that nothing runs in; after a crash PostgreSQL first recovers it. */
  async function stoppedEnd(state: TimelineState): Promise<Lsn> {
    const pgdata = pgdataOf(state);
    if (readPgControl(pgdata).state !== 'stopped') {
      const uid = await uidOf(requireTenant(state.tenantId).projectId);
      // fsync stays on: these are acknowledged writes, not a copy that could be made again.
      await runUntilStopped({ binaries, pgdata, uid, settings: { fsync: 'on', archive_mode: 'on', archive_command: 'false' }, timeoutMs: 600_000 });
    }
    return endOfWal(pgdata, readPgControl(pgdata));
  }

  async function makeFork(tenantId: TenantId, timelineId: TimelineId, { ancestor, lsn, isThrowAway = false }: ForkRequest): Promise<TimelineState> {
    const uid = await uidOf(requireTenant(tenantId).projectId);
    const make = (point: ForkPoint) => createTimeline({ store, binaries, uid, tenantId, timelineId }, point);
    forksOf.set(ancestor, (forksOf.get(ancestor) ?? 0) + 1);
    try {
      // In the source's turn, a stopped directory cannot be attached while it is copied.
      const done = await turn(ancestor, async () => {
        const source = await reap(require(tenantId, ancestor));
        if (source.attached) return undefined;
        const end = await stoppedEnd(source);
        if (lsn !== undefined && compareLsn(lsn, end) > 0) throw unusableLsn(`LSN ${lsn} is after ${end}, where timeline ${ancestor} ends.`);
        return lsn === undefined || lsn === end ? await make({ source, lsn: end, isStoppedHere: true, isThrowAway }) : undefined;
      });
      if (done) return done;
      if (lsn === undefined) throw unusableLsn(`Timeline ${ancestor} is running: say at which LSN to fork it.`);
      return await make({ source: require(tenantId, ancestor), lsn, isStoppedHere: false, isThrowAway });
    } finally {
      forksOf.set(ancestor, (forksOf.get(ancestor) ?? 1) - 1);
    }
  }

  async function remove(state: TimelineState): Promise<void> {
    await putAway(store.folder(state.tenantId, state.timelineId));
  }

  /** Gone in one step for everybody; what a kill leaves of it is removed after the restart. */
  async function putAway(folder: string): Promise<void> {
    if (!existsSync(folder)) return;
    const away = `${folder}${DELETED}-${String(Date.now())}`;
    renameSync(folder, away);
    await discard(away);
  }

  const api = {
    async ensureTenant(tenantId: TenantId, projectId: ProjectId) {
      await turn(tenantId, () => {
        const known = store.readTenant(tenantId);
        if (known && known.projectId !== projectId) throw conflict(`Tenant ${tenantId} belongs to another project.`);
        if (!known) store.writeTenant({ tenantId, projectId, nextPgTimelineId: 2 });
      });
    },

    async deleteTenant(tenantId: TenantId) {
      const tenant = store.readTenant(tenantId);
      for (const timelineId of store.timelines(tenantId)) {
        await turn(timelineId, async () => {
          const known = store.readTimeline(tenantId, timelineId);
          const state = known && await reap(known);
          if (state?.attached) throw inTheWay(412, `Timeline ${timelineId} is attached to ${state.attached.compute}: stop that compute first.`);
        });
      }
      if (tenant) rmSync(store.endpointFile(tenant.projectId), { force: true });
      await putAway(store.tenantFolder(tenantId));
    },

    async create(tenantId: TenantId, timelineId: TimelineId, from: ForkRequest | undefined): Promise<TimelineState> {
      requireTenant(tenantId);
      return await turn(`create:${timelineId}`, async () => {
        const known = store.readTimeline(tenantId, timelineId);
        if (known) {
          const isSame = known.ancestor?.timelineId === from?.ancestor && (from?.lsn === undefined || from.lsn === known.ancestor?.lsn);
          if (!isSame) throw conflict(`Timeline ${timelineId} exists with another ancestor or LSN.`);
          return known;
        }
        if (!from) {
          const uid = await uidOf(requireTenant(tenantId).projectId);
          return await createTimeline({ store, binaries, uid, tenantId, timelineId }, undefined);
        }
        require(tenantId, from.ancestor);
        return await makeFork(tenantId, timelineId, from);
      });
    },

    describe: (tenantId: TenantId, timelineId: TimelineId) => describe(require(tenantId, timelineId)),
    list: (tenantId: TenantId) => (requireTenant(tenantId), store.timelines(tenantId).map((id) => describe(require(tenantId, id)))),

    async delete(tenantId: TenantId, timelineId: TimelineId) {
      await turn(`create:${timelineId}`, () => turn(timelineId, async () => {
        const state = await reap(require(tenantId, timelineId));
        if (state.attached) throw inTheWay(412, `Timeline ${timelineId} is attached to ${state.attached.compute}: stop that compute first.`);
        const pins = Object.keys(state.pins);
        if (pins.length > 0) throw preconditionFailed(`Timeline ${timelineId} is pinned by ${pins.slice(0, 5).join(', ')}: unpin these moments first.`, { pins });
        if ((forksOf.get(timelineId) ?? 0) > 0) throw inTheWay(412, `Timeline ${timelineId} is being forked: try again when that is done.`);
        await remove(state);
      }));
    },

    async pin(tenantId: TenantId, timelineId: TimelineId, pinId: string, lsn: Lsn) {
      return await turn(timelineId, () => {
        const state = require(tenantId, timelineId);
        const known = state.pins[pinId];
        if (known !== undefined && known !== lsn) throw conflict(`Pin ${pinId} already holds LSN ${known}.`);
        if (compareLsn(lsn, minReadableLsn(state)) < 0) throw unusableLsn(`LSN ${lsn} is before ${minReadableLsn(state)}, where timeline ${timelineId} begins.`);
        if (known === undefined) store.writeTimeline({ ...state, pins: { ...state.pins, [pinId]: lsn } });
      });
    },

    async unpin(tenantId: TenantId, timelineId: TimelineId, pinId: string) {
      await turn(timelineId, () => {
        const state = store.readTimeline(tenantId, timelineId);
        if (state?.pins[pinId] === undefined) return;
        store.writeTimeline({ ...state, pins: Object.fromEntries(Object.entries(state.pins).filter(([id]) => id !== pinId)) });
      });
    },

    async seal(tenantId: TenantId, timelineId: TimelineId, fence: number | undefined): Promise<Lsn> {
      return await turn(timelineId, async () => {
        checkFence(tenantId, fence);
        const state = await reap(require(tenantId, timelineId));
        if (state.sealed) return state.sealed.lsn;
        if (state.attached) throw inTheWay(409, `Timeline ${timelineId} is attached to ${state.attached.compute}: stop that compute before sealing it.`);
        const lsn = await stoppedEnd(state);
        store.writeTimeline({ ...state, sealed: { lsn } });
        return lsn;
      });
    },

    async unseal(tenantId: TenantId, timelineId: TimelineId, fence: number | undefined) {
      await turn(timelineId, () => {
        checkFence(tenantId, fence);
        const { sealed: _lifted, ...open } = require(tenantId, timelineId);
        store.writeTimeline(open);
      });
    },

    async attach(tenantId: TenantId, timelineId: TimelineId, request: AttachRequest) {
      return await turn(timelineId, async () => {
        checkFence(tenantId, request.fence);
        const known = require(tenantId, timelineId);
        if (known.sealed) throw conflict(`Timeline ${timelineId} is sealed at ${known.sealed.lsn}: no compute may attach to it.`, { sealed: true });
        const endpoint = store.readEndpoint(requireTenant(tenantId).projectId);
        if (endpoint && endpoint.timeline_id !== timelineId) throw conflict(`The endpoint is configured for timeline ${endpoint.timeline_id}, not ${timelineId}.`, { timelineId: endpoint.timeline_id });
        if (!isAlive(request)) throw badRequest(`No process ${String(request.pid)} with that start time runs here.`);
        const isHolder = known.attached?.pid === request.pid && known.attached.startTime === request.startTime;
        const state = isHolder ? known : await reap(known);
        if (state.attached && !isHolder) throw conflict(`Timeline ${timelineId} is attached to ${state.attached.compute}, which is running.`, { attached: true });
        const { compute, pid, startTime, fence } = request;
        store.writeTimeline({ ...state, attached: { compute, pid, startTime, fence } });
        const folder = store.folder(tenantId, timelineId);
        return {
          pgdata: join(folder, 'pgdata'), walArchive: join(folder, 'wal'), pgTimelineId: state.pgTimelineId,
          bases: join(folder, 'bases'), lastBaseLsn: newestBaseLsn(state), baseAfterBytes,
        };
      });
    },

    /** Takes over a copy that the attached compute made of itself, once its control file is whole. */
    async addBase(tenantId: TenantId, timelineId: TimelineId, base: { compute: string; folder: string; lsn: Lsn }) {
      await turn(timelineId, async () => {
        const state = require(tenantId, timelineId);
        if (state.attached?.compute !== base.compute) throw conflict(`Timeline ${timelineId} is not attached to ${base.compute}.`);
        const bases = join(store.folder(tenantId, timelineId), 'bases');
        const control = readPgControl(join(bases, base.folder));
        if (control.pgTimelineId !== state.pgTimelineId || !existsSync(join(bases, base.folder, 'backup_label'))) throw badRequest(`${base.folder} is not a copy of this timeline.`);
        const folder = `base-${base.lsn.replace('/', '-')}`;
        renameSync(join(bases, base.folder), join(bases, folder));
        await syncFilesystem(bases);
        store.writeTimeline({ ...state, bases: [...state.bases, { folder, lsn: base.lsn }] });
      });
    },

    async detach(tenantId: TenantId, timelineId: TimelineId, compute: string) {
      await turn(timelineId, async () => {
        const state = require(tenantId, timelineId);
        if (state.attached?.compute !== compute) return;
        const { attached: _holder, ...free } = state;
        await reap(free);
        store.writeTimeline(free);
      });
    },

    /** After a restart, and every second: nothing half-made, no PostgreSQL whose compute is dead. */
    async tidy(afterRestart: boolean) {
      if (afterRestart) for (const name of readdirSync(store.root).filter(isHalfMade)) await discard(join(store.root, name));
      for (const tenantId of store.tenants()) {
        if (afterRestart) {
          const halves = readdirSync(store.tenantFolder(tenantId)).filter(isHalfMade);
          for (const name of halves) await discard(join(store.tenantFolder(tenantId), name));
        }
        for (const timelineId of store.timelines(tenantId)) {
          const attached = store.readTimeline(tenantId, timelineId)?.attached;
          if (!attached || isAlive(attached)) continue;
          await turn(timelineId, async () => {
            const state = store.readTimeline(tenantId, timelineId);
            if (state) await reap(state);
          });
        }
      }
    },
  };

  function describe(state: TimelineState) {
    const control = readPgControl(pgdataOf(state));
    const isStopped = !state.attached && control.state === 'stopped';
    return {
      tenant_id: parseTenantId(state.tenantId), timeline_id: parseTimelineId(state.timelineId), state: 'Active', pg_version: 17,
      ...(state.ancestor ? { ancestor_timeline_id: state.ancestor.timelineId, ancestor_lsn: state.ancestor.lsn } : {}),
      ...(state.sealed ? { sealed: true, last_record_lsn: state.sealed.lsn } : { sealed: false }),
      ...(!state.sealed && isStopped ? { last_record_lsn: endOfWal(pgdataOf(state), control) } : {}),
      min_readable_lsn: minReadableLsn(state), pg_timeline_id: state.pgTimelineId, system_identifier: control.systemId,
      created_at: state.createdAt, attached: state.attached ? { compute: state.attached.compute, fence: state.attached.fence } : null,
      pins: state.pins,
    };
  }

  return { ...api, toInfo: describe };
}

export type Timelines = ReturnType<typeof createTimelines>;
