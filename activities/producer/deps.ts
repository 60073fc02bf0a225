/**
 * The shared, read-only dependencies of apps: one directory per (lockfile without its root's name, Node,
 * platform), so that every app with the same set shares it. Installed once per machine without running a
 * script (I10), then linked into each data directory; whole or absent, whoever is killed whenever (I9).
 */
import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { chown, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { AdorableError } from '../../shared/errors.ts';
import type { Contain } from './run-check.ts';

const run = promisify(execFile);
const INSTALL_LIMIT_MS = 300_000;
const PREBUNDLE_LIMIT_MS = 60_000;
/** What npm writes and, when it is told to use another registry, replaces. */
const REGISTRY = 'https://registry.npmjs.org/';
const INSTALLED = /^(?:node_modules\/(?:@[a-z0-9~-][\w.~-]*\/)?[a-z0-9_~-][\w.~-]*(?:\/(?=node_modules)|$))+$/i;
/** Raised when what is kept beside node_modules changes. */
const FORMAT = 1;

interface Slot {
  readonly path: string;
  readonly entry: string;
}

export interface DepsInput {
  /** `DATA/projects/deps` */
  readonly depsDir: string;
  /** The machine's cache. */
  readonly cacheDir: string;
  /** `runners/app/prebundle.mjs`: bundles the client dependencies once for all pods. */
  readonly prebundler: string;
  /** The pinned Node, where the prebundler's uid can reach it; left out, this process's own. */
  readonly node?: string;
  /** How the prebundler is contained; undefined where it cannot be. */
  readonly contain?: Contain | undefined;
  /** Whom it runs as when the platform is root: it loads whatever packages an app's lockfile names. */
  readonly uid?: number | undefined;
  /** Builds in a draft beside the slot, under a lock, and renames it into place. */
  fillSlot(slot: Slot, build: (draft: string) => Promise<string>): Promise<void>;
}

interface Lockfile {
  readonly name?: string;
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Record<string, unknown>>>;
}

export type EnsureDeps = (lockfilePath: string) => Promise<string>;

/** Answers the absolute `…/node_modules` that an app's `node_modules` links to. */
export function createEnsureDeps(input: DepsInput): EnsureDeps {
  const { depsDir, cacheDir, fillSlot } = input;
  return async (lockfilePath) => {
    const lockfile = parseLockfile(await readFile(lockfilePath, 'utf8'));
    const hash = depsHash(lockfile);
    const entry = join('node_modules', '.package-lock.json');
    const cached = { path: join(cacheDir, 'deps', hash), entry };
    const served = { path: join(depsDir, hash), entry };
    await fillSlot(served, async (draft) => {
      await fillSlot(cached, async (cacheDraft) => {
        await install(lockfile, cacheDraft);
        await prebundle(input, cacheDraft);
        await makeReadOnly(cacheDraft);
        return 'npm registry, from the lockfile of an app';
      });
      for (const part of ['node_modules', 'prebundled']) await copyTree(join(cached.path, part), join(draft, part));
      // Again: a `chmod -R` in another data directory reaches the cache through the hard links.
      await makeReadOnly(draft);
      return cached.path;
    });
    return join(served.path, 'node_modules');
  };
}

/** Equal for apps that differ in nothing but their name. */
export function depsHash(lockfile: Lockfile): string {
  return createHash('sha256')
    .update(JSON.stringify([FORMAT, stripRoot(lockfile), process.version, process.platform, process.arch]))
    .digest('hex')
    .slice(0, 20);
}

function stripRoot({ packages, lockfileVersion }: Lockfile): Lockfile {
  const { name: _name, version: _version, ...root } = packages[''] ?? {};
  return { lockfileVersion, packages: { ...packages, '': root } };
}

function parseLockfile(text: string): Lockfile {
  let lockfile: Partial<Lockfile> | null;
  try {
    lockfile = JSON.parse(text) as Partial<Lockfile> | null;
  } catch (cause) {
    throw new AdorableError('BuildFailed', "The app's package-lock.json is not JSON: restore it from git.", { cause });
  }
  const { packages } = lockfile ?? {};
  if (lockfile?.lockfileVersion !== 3 || packages === null || typeof packages !== 'object') {
    throw new AdorableError('BuildFailed', "The app's package-lock.json is not of version 3: write it with npm 7 or newer.");
  }
  // Only registry packages, by their bytes: a file, a link or an address would lead out of the app (I10).
  const foreign = Object.entries(packages).find(([path, entry]) => path !== '' && !isRegistryPackage(path, entry));
  if (foreign !== undefined) {
    throw new AdorableError('IsolationViolated', `The app's package-lock.json has ${JSON.stringify(foreign[0].slice(0, 80))}, which is no registry package with its checksum.`);
  }
  const root = packages[''];
  const asked = [root?.['dependencies'], root?.['devDependencies'], root?.['optionalDependencies']].flatMap((kind) => Object.entries((kind ?? {}) as Record<string, unknown>));
  const unpinned = asked.find(([name, version]) => typeof version !== 'string' || /[:/#@]/.test(version) || packages[`node_modules/${name}`] === undefined);
  if (unpinned !== undefined || root?.['workspaces'] !== undefined) {
    throw new AdorableError('IsolationViolated', `The app's package-lock.json asks for ${JSON.stringify(unpinned?.[0].slice(0, 80) ?? 'workspaces')}, which is no pinned version of a registry package.`);
  }
  return { lockfileVersion: 3, packages };
}

function isRegistryPackage(path: string, entry: unknown): boolean {
  if (!INSTALLED.test(path) || entry === null || typeof entry !== 'object') return false;
  const { resolved, integrity, version, link, inBundle } = entry as Record<string, unknown>;
  return link !== true && inBundle !== true
    && typeof version === 'string' && /^\d[\w.+-]*$/.test(version)
    && typeof integrity === 'string' && /^sha(?:256|384|512)-[A-Za-z0-9+/=]+$/.test(integrity)
    && (resolved === undefined || (typeof resolved === 'string' && resolved.startsWith(REGISTRY)));
}

async function install(lockfile: Lockfile, draft: string): Promise<void> {
  const root = stripRoot(lockfile).packages[''] ?? {};
  const named = { name: 'app', version: '0.0.0', ...root };
  await writeFile(join(draft, 'package.json'), JSON.stringify({ ...named, private: true }));
  await writeFile(join(draft, 'package-lock.json'), JSON.stringify({ ...lockfile, name: 'app', packages: { ...lockfile.packages, '': named } }));
  try {
    await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], {
      cwd: draft,
      timeout: INSTALL_LIMIT_MS,
      // Node 24 beside npm, so that it picks the native packages which the runner will load.
      env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`, NODE_OPTIONS: '', NODE_ENV: '' },
    });
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    throw new AdorableError('Unavailable', `The apps' dependencies could not be installed: ${(stderr ?? String(cause)).trim().split('\n').slice(-3).join(' | ').slice(0, 400)}`, { cause });
  }
}

/** No app's code runs here, but that of the packages which it names: they reach the draft and nothing else (I10). */
async function prebundle({ node = process.execPath, prebundler, contain, uid }: DepsInput, draft: string): Promise<void> {
  const plain = [node, prebundler, draft];
  const [command = '', ...args] = contain?.({ read: [dirname(prebundler)], run: [node], write: [draft] }, plain) ?? plain;
  const user = uid === undefined ? {} : { uid, gid: uid };
  try {
    await run('chmod', ['-R', 'a+rX', draft]);
    if (uid !== undefined) await chown(draft, uid, uid);
    await run(command, args, { cwd: draft, timeout: PREBUNDLE_LIMIT_MS, env: { PATH: '/usr/bin:/bin', HOME: draft, TMPDIR: draft }, ...user });
    if (uid !== undefined) await run('chown', ['-R', '0:0', draft]);
  } catch (cause) {
    const { stderr } = cause as { stderr?: string };
    throw new AdorableError('Unavailable', `The apps' dependencies could not be bundled: ${(stderr ?? String(cause)).trim().split('\n').slice(-3).join(' | ').slice(0, 400)}`, { cause });
  }
}

/** Any uid may read it, none may write: directories stay the owner's to remove. */
async function makeReadOnly(dir: string): Promise<void> {
  await run('chmod', ['-R', 'a+rX,go-w', dir]);
  await run('find', [dir, '-type', 'f', '-exec', 'chmod', 'a-w', '{}', '+']);
}

/** Hard links where cache and data share a file system (the files are read-only), else clones or copies. */
async function copyTree(from: string, to: string): Promise<void> {
  try {
    await run('cp', ['-al', from, to]);
  } catch (error) {
    await rm(to, { recursive: true, force: true });
    if ((error as { code?: unknown }).code === 'ABORT_ERR') throw error;
    await cp(from, to, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
  }
}
