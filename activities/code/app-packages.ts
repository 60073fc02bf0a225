/**
 * What an app's package.json may ask of npm: packages of the registry, by version, each of them pinned by
 * the lockfile beside it, and no script that an installation would run (I10).
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { refused } from './app-tree.ts';

const KINDS = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'] as const;
const INSTALL_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepare', 'preprepare', 'postprepare', 'prepublish', 'prepack', 'postpack', 'dependencies'];
/** Numbers, comparisons and their joins: an address, a path, an alias or a tag has other characters. */
const VERSION = /^[\^~<>=v]*\d+[\w.+-]*(?:\s*(?:\|\||-|\s)\s*[\^~<>=v]*\d+[\w.+-]*)*$/;
const NAME = /^(?:@[a-z0-9][\w.-]*\/)?[a-z0-9][\w.-]*$/i;

interface Manifest {
  readonly scripts?: unknown;
  readonly workspaces?: unknown;
  readonly bundleDependencies?: unknown;
  readonly bundledDependencies?: unknown;
  readonly [kind: string]: unknown;
}

export async function refuseForeignPackages(appDir: string): Promise<void> {
  const manifest = await readJson<Manifest>(join(appDir, 'package.json'));
  if (manifest === undefined) return;
  const lockfile = await readJson<{ readonly packages?: Readonly<Record<string, unknown>> }>(join(appDir, 'package-lock.json'));
  const pinned = new Set(Object.keys(recordOf(lockfile?.packages)));
  const problems = [
    ...Object.keys(recordOf(manifest.scripts)).filter((name) => INSTALL_SCRIPTS.includes(name)).map((name) => `the script ${name} runs at installation`),
    ...(['workspaces', 'bundleDependencies', 'bundledDependencies'] as const).filter((key) => manifest[key] !== undefined).map((key) => `${key} reaches beyond the registry`),
    ...KINDS.flatMap((kind) => Object.entries(recordOf(manifest[kind])).flatMap(([name, version]) => packageProblem(name, version, pinned))),
  ];
  if (problems.length > 0) throw refused('IsolationViolated', "The app's package.json asks for what an app may not have", problems);
}

function packageProblem(name: string, version: unknown, pinned: ReadonlySet<string>): string[] {
  const shown = JSON.stringify(name.slice(0, 80));
  if (!NAME.test(name)) return [`${shown} is no package's name`];
  if (typeof version !== 'string' || !VERSION.test(version)) return [`${shown} is asked for as ${JSON.stringify(String(version).slice(0, 80))}, which is no version of the registry`];
  return pinned.has(`node_modules/${name}`) ? [] : [`${shown} is not pinned by package-lock.json`];
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Readonly<Record<string, unknown>>) : {};
}

async function readJson<T>(path: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw refused('BuildFailed', 'The app cannot be installed', [`its ${path.endsWith('lock.json') ? 'package-lock.json' : 'package.json'} is not JSON (${(cause as Error).message.slice(0, 80)})`]);
  }
  return recordOf(parsed) as T;
}
