/**
 * App runner: serves one app of an immutable tree on POD_IP:PORT, client by Vite and `/trpc` in the
 * same process when the app is fullstack. It runs as the project's uid, with our Vite config and
 * never the app's (I10), and has no dependencies of its own: Vite comes from the tree's node_modules.
 */
import { mkdirSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { createDatabaseProbe } from './database-probe.mjs';
import { viteConfig } from './vite-config.mjs';

// A pod is one of many and serves few requests: 50 MB less for the same start time (measured).
setFlagsFromString('--optimize-for-size');
setFlagsFromString('--max-semi-space-size=2');

const log = (level, message, fields = {}) =>
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);

/** @param {string} name */
function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`The app runner needs ${name} in its environment.`);
  return value;
}

function readEnvironment() {
  const appDir = join(required('TREE'), 'apps', required('APP_SLUG'));
  if (!isFile(join(appDir, 'index.html'))) throw new Error(`There is no app at ${appDir}: its tree is missing or incomplete.`);
  const port = Number(required('PORT'));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Error('PORT is not a port number.');
  const scratch = required('SCRATCH');
  mkdirSync(join(scratch, 'vite'), { recursive: true });
  let deps;
  try {
    deps = realpathSync(join(appDir, 'node_modules'));
  } catch (cause) {
    throw new Error(`${appDir} has no node_modules: its dependencies were not installed or not linked.`, { cause });
  }
  return {
    appDir: realpathSync(appDir),
    deps,
    host: required('POD_IP'),
    port,
    publicHost: process.env.PUBLIC_HOST ?? '',
    cacheDir: join(scratch, 'vite'),
    isFullstack: process.env.APP_KIND === 'fullstack',
  };
}

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

async function main() {
  const started = performance.now();
  const environment = readEnvironment();
  const fromDeps = (path) => import(pathToFileURL(join(environment.deps, path)).href);
  const [{ createServer: createVite }, { default: react }] = await Promise.all([
    fromDeps('vite/dist/node/index.js'),
    fromDeps('@vitejs/plugin-react/dist/index.js'),
  ]);

  // The primary counts as fullstack whenever the project has an API, also when it brings no router.
  const hasRouter = environment.isFullstack && isFile(join(environment.appDir, 'server', 'router.ts'));
  const probe = environment.isFullstack ? await createDatabaseProbe(fromDeps, log) : undefined;

  let isReady = false;
  let answerTrpc;
  const http = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0];
    if (path === '/healthz') return void answerHealth(response);
    if (path === '/trpc' || path.startsWith('/trpc/')) {
      if (answerTrpc) return void answerTrpc(request, response, path.slice('/trpc/'.length));
      return send(response, 404, { error: 'This app has no API.' });
    }
    return vite.middlewares(request, response);
  });
  const vite = await createVite(viteConfig(environment, { react: react(), http, log }));

  async function answerHealth(response) {
    if (!isReady) return send(response, 503, { ok: false, reason: 'starting' });
    const failure = await probe?.();
    return failure ? send(response, 503, { ok: false, reason: failure }) : send(response, 200, { ok: true });
  }

  if (hasRouter) {
    const { appRouter, nodeHTTPRequestHandler } = await vite.ssrLoadModule('virtual:adorable-server');
    if (!appRouter) throw new Error('server/router.ts does not export `appRouter`.');
    answerTrpc = (req, res, path) =>
      nodeHTTPRequestHandler({
        router: appRouter,
        path,
        req,
        res,
        createContext: () => ({}),
        maxBodySize: 1_000_000,
        onError: ({ error, path: procedure }) => {
          if (error.code === 'INTERNAL_SERVER_ERROR') log('error', 'procedure failed', { procedure, error: error.message });
        },
      });
  }

  http.listen(environment.port, environment.host);
  await new Promise((resolve, reject) => http.once('listening', resolve).once('error', reject));
  stopOnSignal(http, vite);

  await vite.environments.client.depsOptimizer?.scanProcessing;
  isReady = true;
  // After it is ready: whoever asks first finds as much transformed as there was time for, and an API waits for none of it.
  vite.warmupRequest('/src/main.tsx').catch((error) => log('warn', 'warm-up failed', { error: String(error) }));
  log('info', 'ready', {
    app: process.env.APP_ID,
    address: `${environment.host}:${environment.port}`,
    kind: hasRouter ? 'fullstack' : 'react',
    ms: Math.round(performance.now() - started),
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
  });
}

function send(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

function stopOnSignal(http, vite) {
  const stop = async () => {
    // The process is stateless: nothing is lost when open connections are cut after a second.
    setTimeout(() => process.exit(0), 2_500).unref();
    setTimeout(() => http.closeAllConnections(), 1_000).unref();
    http.close();
    await vite.close();
    process.exit(0);
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

// The app's own stray failures (a lost database connection is normal) must not take the preview down.
process.on('unhandledRejection', (error) => log('error', 'unhandled rejection', { error: String(error) }));
process.on('uncaughtException', (error) => log('error', 'uncaught exception', { error: String(error) }));

main().catch((error) => {
  log('error', error.message, { cause: error.cause === undefined ? undefined : String(error.cause) });
  process.exit(1);
});
