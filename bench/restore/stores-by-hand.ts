/** Fork and git by hand: the same recipe on the same files, without workflow, activity or server. */
import { execFile } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { layout } from '../../local/paths.ts';
import type { Platform } from '../../local/platform.ts';
import { copyDataDirectory, makeOwned, syncFilesystem } from '../../local/timeline/copy-tree.ts';
import { recover } from '../../local/timeline/recover.ts';
import { projectUid } from '../../local/uids.ts';
import { compareLsn, lsnValue } from '../../shared/lsn.ts';
import { timelineAt } from './project.ts';
import type { BenchProject } from './project.ts';

const run = promisify(execFile);

/** Each number between the source's and the fork's is probed for by recovery, as in a project with a few restores. */
const NUMBERS_BETWEEN = 4;

export interface StoresByHand {
  readonly replayedBytes: number;
  fork(round: number): Promise<number>;
  git(): Promise<number>;
  remove(): void;
}

export async function storesByHand(platform: Platform, { projectId, target, timelines }: BenchProject): Promise<StoresByHand> {
  const folder = join(layout(platform.dataDir).data, 'bench');
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const uid = await projectUid(platform.dataDir, projectId, 'compute');
  const source = join(timelines, target.timelineId);
  const { pgTimelineId, bases } = timelineAt(source);
  const base = bases.filter(({ lsn }) => compareLsn(lsn, target.lsn) <= 0).toSorted((a, b) => compareLsn(b.lsn, a.lsn))[0];
  if (base === undefined) throw new Error('No base lies before the moment that undo goes to.');

  const clone = join(folder, 'clone');
  await run('git', ['-c', 'safe.directory=*', 'clone', '--quiet', '--no-hardlinks', join(layout(platform.dataDir).projects, projectId, 'repo'), clone]);
  const git = async (...args: string[]): Promise<unknown> => await run('git', ['-C', clone, '-c', 'user.name=Bench', '-c', 'user.email=bench@localhost', ...args]);

  return {
    replayedBytes: Number(lsnValue(target.lsn) - lsnValue(base.lsn)),
    async fork(round) {
      const making = join(folder, `fork-${String(round)}`);
      const pgdata = join(making, 'pgdata');
      mkdirSync(making, { mode: 0o711 });
      makeOwned(join(making, 'wal'), uid);
      const began = performance.now();
      await copyDataDirectory(join(source, 'bases', base.folder), pgdata, uid);
      await recover({
        binaries: join(platform.engines.postgres, 'bin'), uid, pgdata, target: target.lsn, pgTimelineId: pgTimelineId + 1 + NUMBERS_BETWEEN,
        source: { archive: join(source, 'wal'), liveWal: join(source, 'pgdata', 'pg_wal'), pgTimelineId },
      });
      await syncFilesystem(making);
      const took = performance.now() - began;
      rmSync(making, { recursive: true, force: true });
      return took;
    },
    async git() {
      const began = performance.now();
      await git('read-tree', '--reset', '-u', target.commit);
      await git('commit', '--quiet', '-m', 'Return by hand');
      const took = performance.now() - began;
      await git('reset', '--quiet', '--hard', 'HEAD^');
      return took;
    },
    remove: () => { rmSync(folder, { recursive: true, force: true }); },
  };
}
