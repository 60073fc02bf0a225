/**
 * Throw-away forks: one moment of a timeline, opened for whoever asks and removed afterwards.
 * Nothing is ever served from one. A lease keeps it open across calls, for at most its time to
 * live: a holder that died leaves nothing for long.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { parseTimelineId } from '../../shared/ids.ts';
import type { ProjectId, TenantId, TimelineId } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import { errorFields, log } from '../log.ts';
import { notFound } from './answer.ts';
import { runUntilStopped } from './postgres-process.ts';
import type { StateStore } from './state.ts';
import type { Timelines } from './timelines.ts';

export interface ThrowAwayDeps {
  readonly store: StateStore;
  readonly timelines: Timelines;
  readonly binaries: string;
  readonly uidOf: (project: ProjectId) => Promise<number | undefined>;
}

export interface PastPoint {
  readonly tenantId: TenantId;
  readonly timelineId: TimelineId;
  readonly lsn: Lsn;
}

export interface Lease {
  readonly lease: string;
  /** Folder of a socket that only the project's own uid and this server's can reach. */
  readonly host: string;
}

const RUN_LIMIT_MS = 300_000;

export type WithThrowAway = (point: PastPoint, logins: 'admin' | 'all', during: (socketFolder: string) => Promise<void>) => Promise<void>;

export function createThrowAway({ store, timelines, binaries, uidOf }: ThrowAwayDeps): WithThrowAway {
  return async ({ tenantId, timelineId, lsn }, logins, during) => {
    const tenant = store.readTenant(tenantId);
    if (!tenant) throw notFound(`There is no tenant ${tenantId}.`);
    const throwAway = parseTimelineId(randomBytes(16).toString('hex'));
    await timelines.create(tenantId, throwAway, { ancestor: timelineId, lsn, isThrowAway: true });
    try {
      await runUntilStopped({
        binaries, uid: await uidOf(tenant.projectId), pgdata: join(store.folder(tenantId, throwAway), 'pgdata'), settings: {}, timeoutMs: RUN_LIMIT_MS, logins, during,
      });
    } finally {
      await timelines.delete(tenantId, throwAway);
    }
  };
}

export function createLeases(withThrowAway: WithThrowAway, ttlMs = RUN_LIMIT_MS) {
  const open = new Map<string, { readonly end: () => void; readonly ended: Promise<void> }>();
  return {
    async open(point: PastPoint): Promise<Lease> {
      const lease = randomBytes(12).toString('hex');
      const ready = Promise.withResolvers<string>();
      const end = Promise.withResolvers<void>();
      const timer = setTimeout(end.resolve, ttlMs);
      const ended = withThrowAway(point, 'all', async (socketFolder) => {
        ready.resolve(socketFolder);
        await end.promise;
      }).catch((error: unknown) => {
        ready.reject(error as Error);
        log('warn', 'a leased fork ended with a failure', { ...errorFields(error) });
      }).finally(() => {
        clearTimeout(timer);
        open.delete(lease);
      });
      open.set(lease, { end: end.resolve, ended });
      return { lease, host: await ready.promise };
    },
    /** Answers when the fork is gone; one that is gone already is success. */
    async close(lease: string): Promise<void> {
      const held = open.get(lease);
      held?.end();
      await held?.ended;
    },
  };
}

export type Leases = ReturnType<typeof createLeases>;
