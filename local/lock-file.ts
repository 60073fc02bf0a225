/**
 * A lock that survives nothing it should not: the file names its holder by pid and start time, so
 * a holder that was killed is overruled at once, and one that lives is waited for.
 */
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, ownIdentity } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

let attempts = 0;

export interface HeldLock {
  release(): void;
}

/** Takes the lock, or answers who holds it. */
export function tryLock(file: string): HeldLock | ProcessIdentity {
  mkdirSync(dirname(file), { recursive: true });
  const mine = `${JSON.stringify({ ...ownIdentity(), token: `${process.pid}.${++attempts}.${Date.now()}` })}\n`;
  const draft = `${file}.${process.pid}.${attempts}`;
  writeFileSync(draft, mine, { mode: 0o644 });
  try {
    for (;;) {
      // A hard link appears with its content in one step; an exclusive create would be empty for a moment.
      if (tryLink(draft, file)) return { release: () => releaseIfMine(file, mine) };
      const held = readIfThere(file);
      if (held === undefined) continue;
      const holder = JSON.parse(held) as ProcessIdentity;
      if (isAlive(holder)) return holder;
      takeAway(file, held, `${draft}.dead`);
    }
  } finally {
    unlinkSync(draft);
  }
}

/** Waits for the lock; `waiting` is told once who is waited for. */
export async function lock(file: string, waiting: (holder: ProcessIdentity) => void = () => undefined): Promise<HeldLock> {
  for (let told = false; ; ) {
    const got = tryLock(file);
    if ('release' in got) return got;
    if (!told) waiting(got);
    told = true;
    await sleep(100);
  }
}

/** Moves a dead holder's file aside. Had somebody else replaced it meanwhile, it is put back. */
function takeAway(file: string, expected: string, aside: string): void {
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if (readFileSync(aside, 'utf8') !== expected) tryLink(aside, file);
  unlinkSync(aside);
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function releaseIfMine(file: string, mine: string): void {
  if (readIfThere(file) === mine) unlinkSync(file);
}
