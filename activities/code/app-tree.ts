/**
 * What an app may put on disk (I10): only below `apps/<slug>`, no path that climbs out, no link
 * that leads out, nothing that git or the runtime would read as its own.
 */
import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import type { Git } from './adapters/git.ts';

const SHOWN = 20;
/** Linked or rebuilt, never history (see `capture-worktree.ts`): not looked into. */
const isSkipped = (path: string): boolean => path === 'dist' || /(^|\/)(node_modules|\.vite)$/.test(path);

/** Joins a path that a producer was given from outside; throws unless it stays inside the app. */
export async function resolveAppFile(appDir: string, path: string): Promise<string> {
  const problem = pathProblem(path);
  if (problem !== undefined) throw violated([`${JSON.stringify(path.slice(0, 200))}: ${problem}`]);
  const full = resolve(appDir, path);
  const root = await realpath(appDir);
  for (let parent = dirname(full); parent.length >= appDir.length; parent = dirname(parent)) {
    const real = await realpath(parent).catch(() => undefined);
    if (real === undefined) continue;
    if (!isInside(root, real)) throw violated([`${JSON.stringify(path.slice(0, 200))}: a link in it leads out of the app`]);
    break;
  }
  return full;
}

function pathProblem(path: string): string | undefined {
  if (path === '' || path.includes('\0') || path.includes('\\')) return 'is not a file name';
  if (isAbsolute(path)) return 'is absolute';
  for (const part of path.split('/')) {
    if (part === '..' || part === '.' || part === '') return 'climbs out of its directory';
    if (isReserved(part)) return `uses the reserved name ${part}`;
  }
  return undefined;
}

/** `.git` in every spelling that a case-insensitive file system takes for it. */
function isReserved(name: string): boolean {
  const plain = name.normalize('NFKC').replace(/[\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, '').toLowerCase().replace(/[. ]+$/, '');
  return plain === '.git' || plain === 'git~1' || plain === '.adorable';
}

/** Walks an app's directory and returns its number of files. */
export async function refuseEscapes(appDir: string): Promise<number> {
  const problems: string[] = [];
  const top = await lstat(appDir).catch(() => undefined);
  if (top?.isDirectory() !== true) throw violated(['the app is not a directory of its own']);
  const root = await realpath(appDir);
  const files = await walk({ appDir, root, problems }, '');
  if (problems.length > 0) throw violated(problems);
  return files;
}

interface Walk {
  readonly appDir: string;
  readonly root: string;
  readonly problems: string[];
}

async function walk(state: Walk, below: string): Promise<number> {
  let files = 0;
  for (const entry of await readdir(join(state.appDir, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (isReserved(entry.name)) state.problems.push(`${path}: uses a reserved name`);
    else if (isSkipped(path)) continue;
    else if (entry.isDirectory()) files += await walk(state, path);
    else if (entry.isFile()) files++;
    else if (!entry.isSymbolicLink()) state.problems.push(`${path}: is neither a file, a directory nor a link`);
    else if (await leadsOut(state, path)) state.problems.push(`${path}: links to something outside the app`);
    else files++;
  }
  return files;
}

/** By its text and, where the target exists, by what the file system makes of it. */
async function leadsOut({ appDir, root }: Walk, path: string): Promise<boolean> {
  const link = join(appDir, path);
  const target = await readlink(link);
  if (isAbsolute(target) || !isInside(appDir, resolve(dirname(link), target))) return true;
  const real = await realpath(link).catch(() => undefined);
  return real !== undefined && !isInside(root, real);
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

/** Anything in the scratch worktree that differs from what it was filled with, outside the app. */
export async function refuseOutside(git: Git, place: { index: string; scratch: string; slug: string }): Promise<void> {
  const options = { index: place.index, workTree: place.scratch };
  await git.probe(['update-index', '-q', '--refresh', '--really-refresh'], options);
  const changed = await git.run(['diff-files', '-z', '--name-only', '--no-renames'], options);
  const added = await git.run(['ls-files', '-z', '--others'], options);
  const outside = [...changed.split('\0'), ...added.split('\0')].filter((path) => path !== '' && !path.startsWith(`apps/${place.slug}/`));
  if (outside.length > 0) throw violated(outside.map((path) => `${path}: lies outside apps/${place.slug}`));
}

function violated(problems: readonly string[]): AdorableError {
  const first = problems[0] ?? 'unknown';
  const more = problems.length > 1 ? ` (and ${String(problems.length - 1)} more)` : '';
  return new AdorableError('IsolationViolated', `The app leaves its own directory: ${first}${more}.`, {
    details: { count: problems.length, errors: problems.slice(0, SHOWN) },
  });
}
