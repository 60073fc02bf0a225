/**
 * A fork's first base without copying the data a second time: the source's own base and the WAL
 * since then, as further names of the same files. Neither is ever written again, so the fork stays
 * whole when its source is deleted. What a later fork then has to replay is bounded by the compute,
 * which makes a base of its own once enough WAL has followed the last one.
 */
import { execFile } from 'node:child_process';
import { chownSync, constants, copyFileSync, existsSync, linkSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { lsnValue, parseLsn, type Lsn } from '../../shared/lsn.ts';
import { makeOwned } from './copy-tree.ts';
import { readPgControl, segmentName } from './pg-control.ts';

const run = promisify(execFile);

export interface Inheritance {
  /** Folders of the source, which stay as they are meanwhile. */
  readonly base: string;
  readonly archive: string;
  readonly liveWal: string;
  /** Where the fork begins. */
  readonly until: Lsn;
  readonly uid: number | undefined;
}

export async function inheritBase(from: Inheritance, to: { readonly base: string; readonly archive: string }): Promise<void> {
  const { base, archive, liveWal, until, uid } = from;
  const as = uid === undefined ? {} : { uid, gid: uid };
  makeOwned(to.base, uid);
  await run('cp', ['-al', '-t', to.base, ...readdirSync(base).map((name) => join(base, name))], { maxBuffer: 1 << 20, ...as });
  const [first, last] = [startOf(base), lsnValue(until)].map((lsn) => segmentName(0, lsn).slice(8)) as [string, string];
  const wanted = (name: string): boolean => /^[0-9A-F]{24}$/.test(name) && name.slice(8) >= first && name.slice(8) <= last;
  // Twice the archive: a segment may move there between the two looks.
  for (const place of [archive, liveWal, archive]) {
    for (const name of readdirSync(place).filter(wanted)) {
      const target = join(to.archive, name);
      if (existsSync(target)) continue;
      if (place === archive) linkSync(join(place, name), target);
      else copyUnlessGone(join(place, name), target, uid);
    }
  }
}

/** A live segment is still being written: a copy of its own, good up to where the fork begins. */
function copyUnlessGone(from: string, to: string, uid: number | undefined): void {
  try {
    copyFileSync(from, to);
    if (uid !== undefined) chownSync(to, uid, uid);
  } catch (error) {
    // Archived and removed meanwhile: it is found there next.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

/** Where recovery from this base begins to read: its label says so, or, of a stopped directory, its last checkpoint. */
function startOf(base: string): bigint {
  const label = join(base, 'backup_label');
  if (!existsSync(label)) return readPgControl(base).checkpoint;
  const found = /^START WAL LOCATION: (\S+)/m.exec(readFileSync(label, 'utf8'))?.[1];
  return lsnValue(parseLsn(found));
}

/** Whether a copy on this folder's filesystem takes neither time nor room: then a base of the fork's own is the better one. */
export function clones(folder: string): boolean {
  const [probe, clone] = [join(folder, 'clone-from'), join(folder, 'clone-to')];
  writeFileSync(probe, 'x'.repeat(4096));
  try {
    copyFileSync(probe, clone, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    // Filesystems say no in many ways; these are another answer.
    if (['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    return false;
  } finally {
    for (const path of [probe, clone]) rmSync(path, { force: true });
  }
}
