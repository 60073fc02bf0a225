/**
 * What the model can do: read, write, list, search and check, in one app's tree (I8, I10). A path that
 * leads elsewhere is refused with the reason, and the model is told; only what is broken here is thrown.
 */
import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import { refuseContent } from '../code/app-content.ts';
import { resolveAppFile } from '../code/app-tree.ts';
import type { ProducerContext } from '../context/gather-context.ts';
import type { ModelTool } from './model.ts';

/** What one answer of a tool may take of the conversation. */
const MAX_SHOWN = 40_000;
const MAX_HITS = 40;
const MAX_LINE = 200;
/** Its packages are those of the runtime's apps: a model can invent a version, and not its checksum. */
const FIXED = new Set(['package.json', 'package-lock.json']);
const HIDDEN = new Set(['node_modules', '.vite', 'dist']);

export interface AppTools {
  readonly tools: Readonly<Record<string, ModelTool>>;
  /** Paths that were written or removed. */
  readonly touched: ReadonlySet<string>;
}

export interface AppToolsInput {
  readonly appDir: string;
  readonly slug: string;
  readonly context: Pick<ProducerContext, 'apps' | 'search'>;
  /** Undefined when all is well, else what is wrong. */
  check(): Promise<string | undefined>;
  onCall(tool: string, path?: string): void;
}

export function createAppTools(input: AppToolsInput): AppTools {
  const touched = new Set<string>();
  const { appDir } = input;
  const path = { type: 'string', description: 'Relative to the app, e.g. src/app.tsx' };
  const define = (name: string, description: string, properties: Readonly<Record<string, unknown>>, run: (given: Given) => Promise<string>): [string, ModelTool] => [name, {
    description,
    input: { type: 'object', properties, required: Object.keys(properties), additionalProperties: false },
    run: async (given) => {
      input.onCall(name, typeof given['path'] === 'string' ? given['path'].slice(0, 200) : undefined);
      return await told(async () => await run(given));
    },
  }];
  return {
    touched,
    tools: Object.fromEntries([
      define('list', 'Lists the files of the app.', {}, async () => (await filesOf(appDir)).join('\n') || 'The app has no files.'),
      define('read', 'Reads a file of the app.', { path }, async (given) => shown(await readText(await within(input, textOf(given, 'path'))))),
      define('write', 'Writes a whole file of the app; null removes it.', { path, content: { type: ['string', 'null'] } }, async (given) => {
        const name = ownPath(input, textOf(given, 'path'));
        const content = given['content'] === null ? null : textOf(given, 'content');
        await write(appDir, name, content);
        touched.add(name);
        return content === null ? `Removed ${name}.` : `Wrote ${name}.`;
      }),
      define('search', 'Finds text in the files of the app, and where other apps of the project speak of it.', { query: { type: 'string' } }, async (given) => await search(input, textOf(given, 'query'))),
      define('check', 'Type-checks and builds the app.', {}, async () => shown(await input.check() ?? 'All is well.')),
    ]),
  };
}

type Given = Readonly<Record<string, unknown>>;

async function told(run: () => Promise<string>): Promise<string> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof AdorableError && ['IsolationViolated', 'QuotaExceeded', 'InvalidInput', 'NotFound'].includes(error.type)) return `Refused: ${error.message}`;
    throw error;
  }
}

function textOf(given: Given, name: string): string {
  const value = given[name];
  if (typeof value === 'string') return value;
  throw new AdorableError('InvalidInput', `${name} is no text.`);
}

/** Paths of the context begin at the repository's root; another app's is said to be one. */
function ownPath({ slug, context }: AppToolsInput, path: string): string {
  const own = `apps/${slug}/`;
  if (path.startsWith(own)) return path.slice(own.length);
  const other = context.apps.find((app) => app.slug !== slug && path.startsWith(`apps/${app.slug}/`));
  if (other === undefined) return path;
  throw new AdorableError('IsolationViolated', `${JSON.stringify(path.slice(0, 200))} is a file of ${other.slug}: only ${slug} can be read and written here.`);
}

const within = async (input: AppToolsInput, path: string): Promise<string> => await resolveAppFile(input.appDir, ownPath(input, path));

async function readText(file: string): Promise<string> {
  const found = await lstat(file).catch(() => undefined);
  if (found?.isFile() !== true) throw new AdorableError('NotFound', 'There is no such file.');
  const bytes = await readFile(file);
  if (bytes.includes(0)) throw new AdorableError('InvalidInput', 'The file is no text.');
  return bytes.toString('utf8');
}

/** As it was, where the new content may not be: the tree is never in between. */
async function write(appDir: string, path: string, content: string | null): Promise<void> {
  const file = await resolveAppFile(appDir, path);
  if (FIXED.has(path.toLowerCase())) throw new AdorableError('IsolationViolated', `${path} is fixed: use the packages that are there.`);
  const before = await lstat(file).catch(() => undefined);
  if (before !== undefined && !before.isFile()) throw new AdorableError('InvalidInput', `${path} is a directory.`);
  if (content === null) {
    await rm(file, { force: true });
    return;
  }
  const kept = before === undefined ? undefined : await readFile(file);
  try {
    await mkdir(dirname(file), { recursive: true });
  } catch (cause) {
    throw new AdorableError('InvalidInput', `${basename(dirname(path))} is a file, not a directory.`, { cause });
  }
  await writeFile(file, content, { mode: 0o644 });
  try {
    await refuseContent(appDir, [path]);
  } catch (error) {
    if (kept === undefined) await rm(file, { force: true });
    else await writeFile(file, kept);
    throw error;
  }
}

async function filesOf(appDir: string): Promise<string[]> {
  const found: string[] = [];
  const walk = async (below: readonly string[]): Promise<void> => {
    for (const entry of await readdir(join(appDir, ...below), { withFileTypes: true })) {
      if (below.length === 0 && HIDDEN.has(entry.name)) continue;
      if (entry.isDirectory()) await walk([...below, entry.name]);
      else if (entry.isFile()) found.push([...below, entry.name].join('/'));
    }
  };
  await walk([]);
  return found.sort();
}

async function search({ appDir, slug, context }: AppToolsInput, query: string): Promise<string> {
  const wanted = query.trim().toLowerCase();
  if (wanted === '') throw new AdorableError('InvalidInput', 'The query is empty.');
  const hits: string[] = [];
  for (const path of await filesOf(appDir)) {
    if (hits.length >= MAX_HITS) break;
    if (FIXED.has(path)) continue;
    const lines = (await readFile(join(appDir, path), 'utf8')).split('\n');
    for (const [at, line] of lines.entries()) {
      if (line.toLowerCase().includes(wanted) && hits.length < MAX_HITS) hits.push(`${path}:${String(at + 1)}: ${line.trim().slice(0, MAX_LINE)}`);
    }
  }
  // Of a sibling the place alone: its text is not to be copied.
  const others = context.search(query).filter(({ path }) => !path.startsWith(`apps/${slug}/`)).map(({ path }) => `${path} (another app)`);
  return [...hits, ...others].join('\n') || 'Nothing was found.';
}

function shown(text: string): string {
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}\n… (${String(text.length - MAX_SHOWN)} more characters)` : text;
}
