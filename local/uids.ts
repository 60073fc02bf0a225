/**
 * Unprivileged uids when the platform runs as root. A project owns a block of four, kept for as
 * long as the data directory lives, so that no project's processes can read another's files (I8, I10).
 */
import { mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layout } from './paths.ts';

export const PLATFORM_UID = 199_999;
/** No project's: for what belongs to none of them. */
export const NOBODY_UID = 199_998;
const FIRST_UID = 200_000;
const BLOCK = 4;

export type UidRole = 'app' | 'compute' | 'service';
const OFFSET: Record<UidRole, number> = { app: 0, compute: 1, service: 2 };

export const isRoot = process.getuid?.() === 0;

/** The uid and gid (equal) of a project's role, or undefined where there is only one user. */
export async function projectUid(dataDir: string, projectId: string, role: UidRole): Promise<number | undefined> {
  if (!isRoot) return undefined;
  const file = join(layout(dataDir).node, 'uids.json');
  mkdirSync(layout(dataDir).node, { recursive: true, mode: 0o711 });
  return await locked(`${file}.lock`, () => {
    const blocks = readBlocks(file);
    const index = blocks[projectId] ?? Object.keys(blocks).length;
    if (blocks[projectId] === undefined) {
      writeFileSync(`${file}.new`, JSON.stringify({ ...blocks, [projectId]: index }), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    }
    return FIRST_UID + index * BLOCK + OFFSET[role];
  });
}

function readBlocks(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** Node and timeline server allocate at the same time: mkdir is the atomic test-and-set. */
async function locked<T>(lock: string, work: () => T): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      // A holder works for under a millisecond; one that died while holding it is overruled.
      if (tries > 100) rmdirSync(lock);
      await sleep(20);
    }
  }
  try {
    return work();
  } finally {
    rmdirSync(lock);
  }
}
