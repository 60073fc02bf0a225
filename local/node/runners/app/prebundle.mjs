/** `node prebundle.mjs DIR`: bundles the client dependencies of DIR/node_modules into DIR/prebundled, with no app's code. */
import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { prebundledDir } from './prebundled.mjs';
import { viteConfig } from './vite-config.mjs';

const deps = realpathSync(join(process.argv[2] ?? '', 'node_modules'));
const load = (path) => import(pathToFileURL(join(deps, path)).href);
const work = mkdtempSync(join(deps, '..', '.prebundle-'));
try {
  const appDir = join(work, 'app');
  const cacheDir = join(work, 'cache');
  mkdirSync(appDir);
  writeFileSync(join(appDir, 'index.html'), '<!doctype html>');
  symlinkSync(deps, join(appDir, 'node_modules'));
  const [{ createServer: createVite }, { default: react }] = await Promise.all([load('vite/dist/node/index.js'), load('@vitejs/plugin-react/dist/index.js')]);
  const environment = { appDir, deps, host: '127.0.0.1', port: 1, publicHost: '', cacheDir };
  const log = (level, message) => process.stderr.write(`${level}: ${message}\n`);
  const vite = await createVite(viteConfig(environment, { react: react(), http: createServer(), log }));
  await vite.environments.client.depsOptimizer?.scanProcessing;
  await Promise.all(Object.values(vite.environments.client.depsOptimizer?.metadata.discovered ?? {}).map((info) => info.processing));
  await vite.close();
  renameSync(join(cacheDir, 'deps'), prebundledDir(deps));
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(0);
