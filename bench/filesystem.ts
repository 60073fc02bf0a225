/**
 * Where a benchmark's platform keeps its data: on the filesystem that is there, or on one with
 * reflinks. Where none is there, root makes one in a file; what cannot be made says why.
 */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { filesystemOf } from './machine.ts';

const run = promisify(execFile);

export type FilesystemKind = 'plain' | 'reflink';

export interface Place {
  readonly kind: FilesystemKind;
  /** What it is, for the reader of the figures. */
  readonly description: string;
  /** Pod uids can reach it, and socket paths below it stay short. */
  readonly folder: string;
  remove(): Promise<void>;
}

/** Answers why there is none where it cannot be made. */
export async function makePlace(kind: FilesystemKind, bytes: number, base = tmpdir()): Promise<Place | { readonly kind: FilesystemKind; readonly absent: string }> {
  const folder = mkdtempSync(join(base, 'adb-'));
  chmodSync(folder, 0o711);
  const remove = (): Promise<void> => { rmSync(folder, { recursive: true, force: true }); return Promise.resolve(); };
  const name = await filesystemOf(folder);
  const clones = await canClone(folder);
  const free = statfsSync(folder);
  if (free.bavail * free.bsize < bytes) {
    await remove();
    return { kind, absent: `${base} has less than ${String(Math.ceil(bytes / 1e9))} GB free: name another directory with --base` };
  }
  if (kind === 'plain') {
    if (!clones) return { kind, description: `${name}, copies byte by byte`, folder, remove };
    await remove();
    return { kind, absent: `${base} is ${name}, which clones: name a directory without reflinks with --base` };
  }
  if (clones) return { kind, description: `${name}, clones by reflink`, folder, remove };
  try {
    return { kind, ...await loopMounted(folder, bytes, name), remove: async () => { await run('umount', [join(folder, 'm')]); await remove(); } };
  } catch (error) {
    await remove();
    return { kind, absent: `${base} is ${name}, which does not clone, and no XFS could be mounted from a file: ${reasonOf(error)}` };
  }
}

async function loopMounted(folder: string, bytes: number, host: string): Promise<{ description: string; folder: string }> {
  const image = join(folder, 'xfs.img');
  const mount = join(folder, 'm');
  mkdirSync(mount);
  // Sparse: it takes what is written to it.
  await run('truncate', ['-s', String(bytes), image]);
  await run('mkfs.xfs', ['-q', '-m', 'reflink=1', image]);
  await run('mount', ['-o', 'loop,noatime', image, mount]);
  chmodSync(mount, 0o711);
  return { description: `xfs in a file on ${host}, clones by reflink`, folder: mount };
}

async function canClone(folder: string): Promise<boolean> {
  const from = join(folder, 'from');
  writeFileSync(from, 'x'.repeat(8192));
  try {
    await run('cp', ['--reflink=always', from, join(folder, 'to')]);
    return true;
  } catch {
    return false; // cp says so in words of its own; that it failed is the answer.
  } finally {
    for (const name of ['from', 'to']) rmSync(join(folder, name), { force: true });
  }
}

function reasonOf(error: unknown): string {
  const { stderr, code, message } = error as Error & { stderr?: string; code?: unknown };
  if (code === 'ENOENT') return 'mkfs.xfs, mount or truncate is not installed';
  return (stderr?.trim() || message).split('\n')[0] ?? 'unknown';
}
