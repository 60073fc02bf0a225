/**
 * Builds an engine from its committed go.mod and go.sum: every module is verified against the
 * committed hashes, so the proxy that serves them need not be trusted.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { obtainGo } from './go-toolchain.ts';
import { ENTRY, enginesSource, GO_RECIPES } from './recipe.ts';
import type { GoEngineName } from './recipe.ts';
import type { Report } from './report.ts';

export async function buildGoEngine(engine: GoEngineName, dir: string, report: Report): Promise<string> {
  const recipe = GO_RECIPES[engine];
  const go = await obtainGo(recipe.minimumGo, report);
  const compileCache = goCache(dir);
  report({ state: 'obtaining', detail: `building from the Go module (${recipe.usually} the first time)` });
  try {
    const source = join(enginesSource, engine);
    const args = ['build', '-v', ...recipe.flags, '-o', join(dir, ENTRY[engine]), recipe.package];
    await compile(go, args, { cwd: source, env: goEnv(go, compileCache.path) }, report);
  } finally {
    if (compileCache.own && !process.env['ADORABLE_KEEP_GOCACHE']) rmSync(compileCache.path, { recursive: true, force: true });
  }
  return `Go module build with ${go}`;
}

/** The user's own compile cache when there is one; else one that is thrown away with 2 GB in it. */
function goCache(dir: string): { path: string; own: boolean } {
  const configured = process.env['GOCACHE'];
  if (configured) return { path: configured, own: false };
  const usual = process.platform === 'darwin' ? join(homedir(), 'Library/Caches/go-build') : join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'go-build');
  if (existsSync(usual)) return { path: usual, own: false };
  const path = join(dir, '.gocache');
  mkdirSync(path);
  return { path, own: true };
}

function goEnv(go: string, compileCache: string): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    CGO_ENABLED: '0',
    GOCACHE: compileCache,
    GOFLAGS: '-buildvcs=false -mod=readonly',
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
  };
  for (const name of ['GOOS', 'GOARCH', ...(go === 'go' ? [] : ['GOROOT'])]) delete env[name];
  return env;
}

function compile(go: string, args: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }, report: Report): Promise<void> {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const child = spawn(go, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    const lastLines: string[] = [];
    let downloaded = 0;
    let compiled = 0;
    createInterface({ input: child.stderr }).on('line', (line) => {
      if (line.startsWith('go: downloading')) downloaded++;
      else if (/^[\w.-]+(\/[\w.~-]+)*$/.test(line)) compiled++;
      lastLines.push(line);
      if (lastLines.length > 5) lastLines.shift();
    });
    const ticker = setInterval(() => {
      const seconds = Math.round((Date.now() - started) / 1000);
      report({ state: 'progress', detail: `${downloaded} modules downloaded, ${compiled} packages compiled, ${seconds} s` });
    }, 1_000);
    // A bootstrap that is interrupted must not leave a compiler behind.
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('error', finish);
    child.once('exit', (code) => finish(code === 0 ? undefined : new Error(`go build failed: ${lastLines.join(' | ')}`)));
    function finish(error?: Error): void {
      clearInterval(ticker);
      process.off('exit', kill);
      if (error) reject(error);
      else resolve();
    }
  });
}
