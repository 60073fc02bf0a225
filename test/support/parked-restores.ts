/**
 * Five restores on five projects, each held up by something real in front of another store's write,
 * all of them on one worker: a lock, a server that is stopped. Then that worker is stopped too.
 */
import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { withProjectLock } from '../../activities/code/project-lock.ts';
import { readTimeline } from '../../client/reads.ts';
import type { Started } from '../../client/runtime.ts';
import { layout } from '../../local/paths.ts';
import { platformSqlUrl } from '../../local/postgres/cluster.ts';
import { operationCheckpointId } from '../../shared/derive.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { TestPlatform } from './platform.ts';
import { pidOf, unreadRequests, until } from './stopped.ts';
import type { Stopping } from './stopped.ts';

/** Where a worker is stopped, by the store that it is about to write to. */
export const PLACES = ['rows', 'transaction', 'git', 'kubernetes', 'timeline'] as const;
export type Place = (typeof PLACES)[number];

export interface Parked {
  readonly worker: number;
  readonly restores: Readonly<Record<Place, Started<OperationOutcome>>>;
  /** The first attempt at the activity that the worker has in hand at each place, as its log names it. */
  readonly attempts: Readonly<Record<Place, string>>;
}

/** A project without apps, a file away from its first moment: all four stores move when it goes there. */
export async function makeProject({ open, data }: TestPlatform, name: string): Promise<{ projectId: ProjectId; first: string }> {
  const created = await open.runtime.createProject(name);
  const { projectId } = created;
  await created.result;
  writeFileSync(join(worktree(data, projectId), 'NOTES.md'), 'A note.\n');
  await (await open.runtime.bookmark(projectId, 'with a note')).result;
  const [first] = await readTimeline(open.database, projectId);
  return { projectId, first: first?.id ?? '' };
}

const worktree = (data: string, projectId: ProjectId): string => join(layout(data).projects, projectId, 'repo');

export async function parkRestores(platform: TestPlatform, projects: Readonly<Record<Place, { projectId: ProjectId; first: string }>>, stopping: Stopping): Promise<Parked> {
  const { open, data } = platform;
  const [worker, timelineServer, apiServer] = [pidOf(data, 'worker'), pidOf(data, 'timeline'), pidOf(data, 'kube-apiserver')];
  const locks = { transaction: await openLock(open.platform), timeline: await openLock(open.platform) };
  const start = (place: Place) => open.runtime.restore(projects[place].projectId, projects[place].first);
  const runs = (place: Place, activity: string) => until(`${activity} of ${place}`, async () =>
    ((await open.temporal.pending(projects[place].projectId)).some((row) => row.activity === activity) ? true : undefined));

  // Big enough that hashing it outlasts the look at who holds the lock.
  writeFileSync(join(worktree(data, projects.git.projectId), 'big.bin'), Buffer.alloc(64 * 1024 * 1024, 'big'));
  const early = ['transaction', 'timeline', 'kubernetes', 'git'] as const;
  const held = Object.fromEntries(await Promise.all(early.map(async (place) => [place, await holdRepository(worktree(data, projects[place].projectId))] as const))) as Record<Place, Held>;
  const started = Object.fromEntries(await Promise.all(early.map(async (place) => [place, await start(place)] as const))) as Record<Place, Started<OperationOutcome>>;
  // The freeze, which runs beside it, has ended.
  await until('commitDirty alone', async () => {
    const pending = await Promise.all(early.map((place) => open.temporal.pending(projects[place].projectId)));
    return pending.every((rows) => rows.length === 1 && rows[0]?.activity === 'commitDirty') ? true : undefined;
  });

  // In the middle of a transaction that has locked the project's row.
  await locks.transaction.take(`SELECT 1 FROM checkpoints WHERE id = $1 FOR UPDATE`, [operationCheckpointId(started.transaction.operationId, 'target')]);
  await held.transaction.release();
  await locks.transaction.isWaitedFor();

  // Past the decision: in startCompute, between the namespace's fence and the endpoint.
  await locks.timeline.take('LOCK TABLE plan_revisions IN ACCESS EXCLUSIVE MODE');
  await held.timeline.release();
  await locks.timeline.isWaitedFor();
  stopping.stop(timelineServer);
  await locks.timeline.release();
  await until('a request at the timeline server', () => (unreadRequests(worker, open.platform.ports.timeline) === 1 ? true : undefined));
  await until('the end of what runs beside startCompute', async () => ((await open.temporal.pending(projects.timeline.projectId)).length === 1 ? true : undefined));

  // In planRestore, between its reads and its intents.
  started.rows = await start('rows');
  await until('a second request at the timeline server', () => (unreadRequests(worker, open.platform.ports.timeline) === 2 ? true : undefined));

  // In stopCompute, between the look at the Deployment and its change.
  stopping.stop(apiServer);
  await held.kubernetes.release();
  await runs('kubernetes', 'stopCompute');

  // In commitDirty, with the repository's lock.
  await held.git.release();
  await until('the worker in the repository', () => (held.git.holder()?.includes(`/${String(worker)}/`) === true ? true : undefined), { everyMs: 1 });
  stopping.stop(worker);

  stopping.go(apiServer);
  stopping.go(timelineServer);
  const attempts = Object.fromEntries(await Promise.all(PLACES.map(async (place) => {
    const pending = await open.temporal.pending(projects[place].projectId);
    expectOne(place, pending.map((row) => row.attempt));
    return [place, `activity ${pending[0]?.activity ?? ''} failed","attempt":1`] as const;
  }))) as Record<Place, string>;
  await locks.transaction.release();
  await Promise.all(Object.values(locks).map((lock) => lock.close()));
  return { worker, restores: started, attempts };
}

function expectOne(place: Place, attempts: readonly number[]): void {
  if (attempts.length !== 1 || attempts[0] !== 1) throw new Error(`${place} is not held up in the first attempt at one activity, but in ${JSON.stringify(attempts)}`);
}

interface Held {
  release(): Promise<void>;
  /** Who has the lock now. */
  holder(): string | undefined;
}

/** This process as a writer in the repository. */
async function holdRepository(work: string): Promise<Held> {
  const gitDir = join(work, '.git');
  const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
  const { promise: locked, resolve: lock } = Promise.withResolvers<undefined>();
  const done = withProjectLock(gitDir, async () => { lock(undefined); await released; });
  await Promise.race([locked, done]);
  return {
    async release() { release(undefined); await done; },
    holder() {
      try {
        return readlinkSync(join(gitDir, 'adorable-lock'));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

/** A transaction of somebody else's, and who waits for it: asked of PostgreSQL. */
async function openLock(platform: Parameters<typeof platformSqlUrl>[0]) {
  const client = new pg.Client({ connectionString: platformSqlUrl(platform) });
  await client.connect();
  const { rows: [me] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const watcher = new pg.Client({ connectionString: platformSqlUrl(platform) });
  await watcher.connect();
  return {
    async take(sql: string, values: readonly unknown[] = []) {
      await client.query('BEGIN');
      await client.query(sql, [...values]);
    },
    isWaitedFor: () => until('a statement that waits for the lock', async () =>
      ((await watcher.query('SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))', [me?.pid])).rows.length > 0 ? true : undefined)),
    release: async () => { await client.query('ROLLBACK'); },
    close: async () => { await client.end(); await watcher.end(); },
  };
}
