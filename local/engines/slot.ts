/**
 * A slot of the cache: built in a directory of its own and renamed into place, so that it is either
 * whole or absent, whoever is killed whenever. Two bootstraps at once: one builds, the other waits.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { lock } from '../lock-file.ts';
import type { Report } from './report.ts';

export interface Slot {
  readonly path: string;
  /** Relative path that must exist in a complete slot. */
  readonly entry: string;
}

export function isFilled(slot: Slot): boolean {
  return existsSync(join(slot.path, slot.entry));
}

/** Fills the slot unless it is filled; `build` gets an empty directory and answers where its content came from. */
export async function fillSlot(slot: Slot, report: Report, build: (dir: string) => Promise<string>): Promise<void> {
  if (isFilled(slot)) return;
  const parent = dirname(slot.path);
  const name = basename(slot.path);
  mkdirSync(parent, { recursive: true, mode: 0o755 });
  const held = await lock(join(parent, `.${name}.lock`), (holder) =>
    report({ state: 'waiting', detail: `process ${holder.pid} is obtaining it` }),
  );
  try {
    if (isFilled(slot)) return;
    removeLeftovers(parent, name);
    const draft = join(parent, `.${name}.${process.pid}.draft`);
    mkdirSync(draft);
    try {
      const source = await build(draft);
      if (!existsSync(join(draft, slot.entry))) throw new Error(`${source} did not produce ${slot.entry}`);
      writeFileSync(join(draft, 'source.json'), `${JSON.stringify({ source })}\n`);
      chmodSync(draft, 0o755);
      // What is there now lacks its entry, so it is no slot: something outside damaged it.
      rmSync(slot.path, { recursive: true, force: true });
      renameSync(draft, slot.path);
    } finally {
      rmSync(draft, REMOVE);
    }
  } finally {
    held.release();
  }
}

/** A child of the killed one may still write for a moment. */
const REMOVE = { recursive: true, force: true, maxRetries: 10, retryDelay: 200 } as const;

/** Drafts of bootstraps that were killed; nobody else builds this slot while the lock is held. */
function removeLeftovers(parent: string, name: string): void {
  for (const entry of readdirSync(parent)) {
    if (entry.startsWith(`.${name}.`) && entry.endsWith('.draft')) rmSync(join(parent, entry), REMOVE);
  }
}
