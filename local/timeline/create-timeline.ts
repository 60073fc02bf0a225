/**
 * Makes timelines: the first one of a tenant, and forks at exactly one LSN (I1). All work happens
 * in a `.making` directory that is renamed into place when everything in it is on disk, so a kill
 * at any point leaves either nothing or the whole (I2, I9).
 */
import { copyFileSync, chownSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compareLsn, parseLsn, type Lsn } from '../../shared/lsn.ts';
import type { TenantId, TimelineId } from '../../shared/ids.ts';
import { errorFields, log } from '../log.ts';
import { unusableLsn } from './answer.ts';
import { bootstrap } from './bootstrap.ts';
import { copyDataDirectory, makeOwned, syncDirectory, syncFilesystem } from './copy-tree.ts';
import { clones, inheritBase } from './inherit-base.ts';
import { endOfWal, readPgControl } from './pg-control.ts';
import { endProcessesIn, processesIn } from './postgres-process.ts';
import { recover } from './recover.ts';
import type { Base, StateStore, TimelineState } from './state.ts';

export interface Creation {
  readonly store: StateStore;
  readonly binaries: string;
  readonly uid: number | undefined;
  readonly tenantId: TenantId;
  readonly timelineId: TimelineId;
}

export interface ForkPoint {
  readonly source: TimelineState;
  readonly lsn: Lsn;
  /** The source is cleanly stopped with its WAL ending here, and stays so for as long as this takes. */
  readonly isStoppedHere: boolean;
  /** Read once and deleted: nothing is ever forked from it or served by it, so it has no base. */
  readonly isThrowAway: boolean;
}

const FIRST_BASE = 'base-0';

export async function createTimeline(creation: Creation, from: ForkPoint | undefined): Promise<TimelineState> {
  const { store, tenantId, timelineId, uid } = creation;
  const making = store.makingFolder(tenantId, timelineId);
  await discard(making);
  const pgTimelineId = from ? reserve(store, tenantId) : 1;
  mkdirSync(making, { recursive: true, mode: 0o711 });
  for (const name of ['wal', 'bases']) makeOwned(join(making, name), uid);
  const pgdata = join(making, 'pgdata');
  try {
    if (from) await fork(creation, from, pgdata, pgTimelineId);
    else await bootstrap(creation.binaries, pgdata, uid);
    const state: TimelineState = {
      tenantId, timelineId, pgTimelineId, createdAt: new Date().toISOString(), pins: {},
      ...(from ? { ancestor: { timelineId: from.source.timelineId, lsn: from.lsn } } : {}),
      ...(await makeFirstBase(creation, from, pgdata)),
    };
    store.writeTimeline(state, making);
    if (from?.isThrowAway !== true) await syncFilesystem(making);
    renameSync(making, store.folder(tenantId, timelineId));
    // All that is in it is on disk: only its name is not yet.
    syncDirectory(store.tenantFolder(tenantId));
    return state;
  } catch (error) {
    await discard(making);
    throw error;
  }
}

async function fork(creation: Creation, { source, lsn, isStoppedHere }: ForkPoint, pgdata: string, pgTimelineId: number): Promise<void> {
  const { store, tenantId, timelineId, uid } = creation;
  const making = store.makingFolder(tenantId, timelineId);
  const origin = store.folder(tenantId, source.timelineId);
  await copyDataDirectory(isStoppedHere ? join(origin, 'pgdata') : join(origin, 'bases', nearestBase(source, lsn).folder), pgdata, uid);
  await recover({
    binaries: creation.binaries, uid, pgdata, pgTimelineId,
    target: isStoppedHere ? undefined : lsn,
    source: { archive: join(origin, 'wal'), liveWal: join(origin, 'pgdata', 'pg_wal'), pgTimelineId: source.pgTimelineId },
  });
  // A fork of this fork reads its lineage from its archive.
  const history = `${pgTimelineId.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const archived = join(making, 'wal', history);
  copyFileSync(join(pgdata, 'pg_wal', history), archived);
  if (uid !== undefined) chownSync(archived, uid, uid);
}

/** What forks of this timeline begin from: its source's own base where a copy would have to move every byte again. */
async function makeFirstBase(creation: Creation, from: ForkPoint | undefined, pgdata: string): Promise<Pick<TimelineState, 'bases' | 'beginsAt'>> {
  const { store, tenantId, timelineId, uid } = creation;
  const making = store.makingFolder(tenantId, timelineId);
  const beginsAt = endOfWal(pgdata, readPgControl(pgdata));
  if (from?.isThrowAway === true) return { bases: [], beginsAt };
  const first = join(making, 'bases', FIRST_BASE);
  if (from === undefined || process.platform !== 'linux' || clones(making)) {
    await copyDataDirectory(pgdata, first, uid);
    return { bases: [{ folder: FIRST_BASE, lsn: beginsAt }] };
  }
  const origin = store.folder(tenantId, from.source.timelineId);
  const base = nearestBase(from.source, from.lsn);
  try {
    await inheritBase(
      { base: join(origin, 'bases', base.folder), archive: join(origin, 'wal'), liveWal: join(origin, 'pgdata', 'pg_wal'), until: from.lsn, uid },
      { base: first, archive: join(making, 'wal') },
    );
  } catch (error) {
    // Links may be forbidden or too many: a copy costs time, a fork that cannot be made costs the restore.
    log('warn', 'a fork copies its base: its source\'s could not be linked', { tenantId, timelineId, ...errorFields(error) });
    rmSync(first, { recursive: true, force: true });
    await copyDataDirectory(pgdata, first, uid);
    return { bases: [{ folder: FIRST_BASE, lsn: beginsAt }] };
  }
  return { bases: [{ folder: FIRST_BASE, lsn: base.lsn }], beginsAt };
}

function nearestBase(source: TimelineState, lsn: Lsn): Base {
  const usable = source.bases.filter((base) => compareLsn(base.lsn, lsn) <= 0);
  const nearest = usable.toSorted((a, b) => compareLsn(b.lsn, a.lsn))[0];
  const oldest = minReadableLsn(source);
  if (!nearest || compareLsn(lsn, oldest) < 0) throw unusableLsn(`LSN ${lsn} is before ${oldest}, where timeline ${source.timelineId} begins.`);
  return nearest;
}

export function minReadableLsn(state: TimelineState): Lsn {
  return state.beginsAt ?? state.bases.map((base) => base.lsn).toSorted(compareLsn)[0] ?? parseLsn('0/0');
}

export function newestBaseLsn(state: TimelineState): Lsn {
  return state.bases.map((base) => base.lsn).toSorted(compareLsn).at(-1) ?? parseLsn('0/0');
}

/** The number is recorded before it is used: a crash wastes one, and never gives one twice. */
function reserve(store: StateStore, tenantId: TenantId): number {
  const tenant = store.readTenant(tenantId);
  if (!tenant) throw new Error(`Tenant ${tenantId} vanished`);
  store.writeTenant({ ...tenant, nextPgTimelineId: tenant.nextPgTimelineId + 1 });
  return tenant.nextPgTimelineId;
}

/** Removes a half-made timeline, with whatever PostgreSQL a killed server left running in it. */
export async function discard(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  if (processesIn(folder).length > 0) await endProcessesIn(folder, 0);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

export function isHalfMade(path: string): boolean {
  return /\.(making|deleted)/.test(basename(path));
}
