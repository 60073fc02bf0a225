/**
 * What an app may put on disk (I10): only below `apps/<slug>`, no path that climbs out, no link
 * that leads out, no name that another file system, git or the runtime would read as something else.
 */
import { isUtf8 } from 'node:buffer';
import { existsSync } from 'node:fs';
import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import type { FailureType } from '../../shared/errors.ts';
import type { Git } from './adapters/git.ts';

const SHOWN = 20;
const MAX_FILES = 5_000;
const MAX_DEPTH = 32;
/** Of a name and of a path within the app, in bytes: what every file system and every archive takes. */
const MAX_NAME = 200;
const MAX_PATH = 800;
/** Linked or rebuilt, never history (`capture-worktree.ts`): checked with it, the code would not be served with it. */
const BUILT = ['node_modules', '.vite'];
const DERIVED = new Set([...BUILT, 'dist']);

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
  const top = await lstat(full).catch(() => undefined);
  // A write would go where the link leads.
  if (top?.isSymbolicLink() === true) throw violated([`${JSON.stringify(path.slice(0, 200))}: is a link`]);
  return full;
}

function pathProblem(path: string): string | undefined {
  if (path === '' || path.includes('\0')) return 'is not a file name';
  if (isAbsolute(path) || /^[a-z]:/i.test(path)) return 'is absolute';
  if (Buffer.byteLength(path) > MAX_PATH) return `is longer than ${String(MAX_PATH)} bytes`;
  const parts = path.split('/');
  if (parts.length > MAX_DEPTH) return `is deeper than ${String(MAX_DEPTH)} directories`;
  if (parts.some((part) => part === '..' || part === '.' || part === '')) return 'climbs out of its directory';
  return parts.map(nameProblem).find((problem) => problem !== undefined) ?? parts.map((part, at) => derivedProblem(part, at)).find((problem) => problem !== undefined);
}

function nameProblem(name: string): string | undefined {
  if (isReserved(name)) return `uses the reserved name ${JSON.stringify(name)}`;
  if (/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029\\]/u.test(name)) return 'has a control character or a backslash in its name';
  if (/[:<>"|?*]|[. ]$|^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name)) return 'has a name that not every file system takes';
  return Buffer.byteLength(name) > MAX_NAME ? `has a name longer than ${String(MAX_NAME)} bytes` : undefined;
}

function derivedProblem(name: string, depth: number): string | undefined {
  return (depth === 0 ? DERIVED.has(name) : BUILT.includes(name)) ? `${name} is made by installing and building, never written` : undefined;
}

/** `.git` in every spelling that a case-insensitive file system takes for it. */
function isReserved(name: string): boolean {
  const plain = name.normalize('NFKC').replace(/[\u200c-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g, '').toLowerCase().replace(/[. ]*(?::.*)?$/s, '');
  return plain === '.git' || plain === 'git~1' || plain === '.adorable';
}

/** Walks an app's directory and returns its number of files. */
export async function refuseEscapes(appDir: string): Promise<number> {
  const top = await lstat(appDir).catch(() => undefined);
  if (top?.isDirectory() !== true) throw violated(['the app is not a directory of its own']);
  const state: Walk = { appDir, root: await realpath(appDir), problems: [], files: 0 };
  await walk(state, []);
  if (state.problems.length > 0) throw violated(state.problems);
  return state.files;
}

interface Walk {
  readonly appDir: string;
  readonly root: string;
  readonly problems: string[];
  files: number;
}

async function walk(state: Walk, below: readonly string[]): Promise<void> {
  const seen = new Map<string, string>();
  // As bytes: a name that is no text would otherwise become another one.
  for (const entry of await readdir(join(state.appDir, ...below), { withFileTypes: true, encoding: 'buffer' })) {
    const name = isUtf8(entry.name) ? entry.name.toString('utf8') : undefined;
    const parts = [...below, name ?? entry.name.toString('latin1')];
    const path = parts.join('/');
    const folded = name?.normalize('NFC').toLowerCase() ?? '';
    const problem = name === undefined ? 'has a name that is not UTF-8'
      : seen.has(folded) ? `differs from ${seen.get(folded) ?? ''} only in case or spelling`
        : nameProblem(name) ?? (Buffer.byteLength(path) > MAX_PATH || parts.length > MAX_DEPTH ? 'lies too deep' : undefined);
    seen.set(folded, name ?? '');
    if (problem !== undefined) state.problems.push(`${shown(path)}: ${problem}`);
    // The one link that the runtime itself puts there.
    else if (path === 'node_modules' && entry.isSymbolicLink()) continue;
    else if (derivedProblem(parts.at(-1) ?? '', below.length) !== undefined) state.problems.push(`${shown(path)}: is made by installing and building, never written`);
    else if (entry.isDirectory()) await walk(state, parts);
    else if (!entry.isFile() && !entry.isSymbolicLink()) state.problems.push(`${shown(path)}: is neither a file, a directory nor a link`);
    else if (entry.isSymbolicLink() && (await leadsOut(state, path))) state.problems.push(`${shown(path)}: links to something outside the app`);
    else if (++state.files > MAX_FILES) throw tooMuch(`it has more than ${String(MAX_FILES)} files`);
    if (state.problems.length >= SHOWN) throw violated(state.problems);
  }
}

const shown = (path: string): string => JSON.stringify(path.slice(0, 200)).slice(1, -1);

/** By its text and by what the file system makes of it; what leads nowhere may lead somewhere else later. */
async function leadsOut({ appDir, root }: Walk, path: string): Promise<boolean> {
  const link = join(appDir, path);
  const target = await readlink(link);
  if (isAbsolute(target) || !isInside(appDir, resolve(dirname(link), target))) return true;
  const real = await realpath(link).catch(() => undefined);
  return real === undefined || !isInside(root, real);
}

function isInside(root: string, path: string): boolean {
  const way = relative(root, path);
  return way === '' || (!isAbsolute(way) && way !== '..' && !way.startsWith(`..${sep}`));
}

/** Refuses what differs, outside the app, from what the scratch worktree was filled with; answers what differs inside. */
export async function refuseOutside(git: Git, place: { index: string; scratch: string; slug: string }): Promise<readonly string[]> {
  const options = { index: place.index, workTree: place.scratch };
  const inside = `apps/${place.slug}/`;
  await git.probe(['update-index', '-q', '--refresh', '--really-refresh'], options);
  const changed = await git.run(['diff-files', '-z', '--name-only', '--no-renames'], options);
  const added = await git.run(['ls-files', '-z', '--others'], options);
  const paths = [...changed.split('\0'), ...added.split('\0')].filter((path) => path !== '');
  // Git looks into no `.git`.
  const hidden = ['.git', 'apps/.git'].filter((path) => existsSync(join(place.scratch, path)));
  const outside = [...hidden, ...paths.filter((path) => !path.startsWith(inside))];
  if (outside.length > 0) throw violated(outside.map((path) => `${shown(path)}: lies outside apps/${place.slug}`));
  return paths.map((path) => path.slice(inside.length));
}

export function violated(problems: readonly string[]): AdorableError {
  return refused('IsolationViolated', 'The app leaves its own directory', problems);
}

export function tooMuch(problem: string): AdorableError {
  return refused('QuotaExceeded', 'The app is larger than an app may be', [problem]);
}

export function refused(type: FailureType, what: string, problems: readonly string[]): AdorableError {
  const first = problems[0] ?? 'unknown';
  const more = problems.length > 1 ? ` (and ${String(problems.length - 1)} more)` : '';
  return new AdorableError(type, `${what}: ${first}${more}.`, { details: { count: problems.length, errors: problems.slice(0, SHOWN) } });
}
