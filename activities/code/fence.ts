/**
 * An operation's right to write to git. The fence is a ref (`refs/adorable/fence` → a blob with the
 * number), verified inside the very ref transaction that moves another ref: even a writer that was
 * stopped after it took the lock cannot land once a newer operation came by (DESIGN §3.1).
 */
import { existsSync, readFileSync } from 'node:fs';
import { AdorableError } from '../../shared/errors.ts';
import type { Fenced } from '../../shared/moment.ts';
import { withProjectLock } from './project-lock.ts';
import type { Lease } from './project-lock.ts';
import type { Repository } from './repository.ts';
import { clearStaleLocks } from './stale-locks.ts';

export const FENCE = 'refs/adorable/fence';
const ZERO = '0'.repeat(40);

export interface RefChange {
  readonly ref: string;
  /** null deletes it. */
  readonly to: string | null;
  /** What it must be now; null: absent; left out: whatever it is. */
  readonly from?: string | null;
}

export interface Writer {
  /** All of them or none, and only while this operation's fence is the newest. */
  updateRefs(changes: readonly RefChange[]): Promise<void>;
  assertHeld(): void;
}

export async function withFence<T>(
  repository: Repository,
  fenced: Fenced,
  work: (writer: Writer) => Promise<T>,
  initialize?: () => Promise<void>,
): Promise<T> {
  return await withProjectLock(repository.gitDir, async (lease) => {
    await clearStaleLocks(repository);
    await initialize?.();
    const blob = await raise(repository, fenced);
    return await work(writer(repository, lease, blob));
  });
}

/** For writes that belong to no operation (a proposed plan): the lock, without a fence. */
export async function withLock<T>(repository: Repository, work: (writer: Writer) => Promise<T>): Promise<T> {
  return await withProjectLock(repository.gitDir, async (lease) => {
    await clearStaleLocks(repository);
    return await work(writer(repository, lease, null));
  });
}

/** A deleted project's fence stays behind: only a newer operation may start it anew, only its own may repeat. */
export function refuseDeleted(repository: Repository, fenced: Fenced, verb: 'create' | 'delete'): void {
  if (!existsSync(repository.tombstone)) return;
  const stored = Number(readFileSync(repository.tombstone, 'utf8'));
  if (stored > fenced.fence || (stored === fenced.fence && verb === 'create')) throw stale(fenced, stored);
}

async function raise(repository: Repository, fenced: Fenced): Promise<string> {
  if (!Number.isSafeInteger(fenced.fence) || fenced.fence < 1) {
    throw new AdorableError('InvalidInput', `Fence ${String(fenced.fence)} is not a positive whole number.`);
  }
  const [before, stored] = await storedFence(repository);
  if (stored > fenced.fence) throw stale(fenced, stored);
  if (before !== null && stored === fenced.fence) return before;
  const blob = (await repository.git.run(['hash-object', '-w', '--stdin'], { input: String(fenced.fence) })).trim();
  await repository.git.run(['update-ref', FENCE, blob, before ?? ZERO]);
  return blob;
}

async function storedFence(repository: Repository): Promise<readonly [blob: string | null, fence: number]> {
  const [, blob, content] = /^([0-9a-f]{40}) blob \d+\n(\d+)/.exec(await repository.git.run(['cat-file', '--batch'], { input: `${FENCE}\n` })) ?? [];
  return blob === undefined ? [null, 0] : [blob, Number(content)];
}

function stale(fenced: Fenced, stored: number): AdorableError {
  return new AdorableError('StaleFence', `Operation ${fenced.operationId} writes under fence ${String(fenced.fence)}, the repository has seen ${String(stored)}: nothing was written.`, {
    details: { projectId: fenced.projectId, operationId: fenced.operationId, fence: fenced.fence, stored },
  });
}

function writer(repository: Repository, lease: Lease, fence: string | null): Writer {
  return {
    assertHeld: () => {
      lease.assertHeld();
    },
    async updateRefs(changes) {
      lease.assertHeld();
      const lines = changes.map(({ ref, to, from }) => {
        const expected = from === undefined ? '' : (from ?? ZERO);
        return to === null ? `delete ${ref}\0${expected}\0` : `update ${ref}\0${to}\0${expected}\0`;
      });
      if (fence !== null) lines.unshift(`verify ${FENCE}\0${fence}\0`);
      await repository.git.run(['update-ref', '--stdin', '-z'], { input: lines.join('') });
    },
  };
}
