/**
 * The one Vite configuration apps are served with. An app's own config, env files and PostCSS plugins
 * are code we do not run (I10); files outside the app and its dependencies are not served.
 */

import { reusePrebundled } from './prebundled.mjs';

/** Pre-bundled at start, so that no page load discovers one and reloads. */
const CLIENT_DEPENDENCIES = [
  'react',
  'react/jsx-runtime',
  'react/jsx-dev-runtime',
  'react-dom',
  'react-dom/client',
  '@trpc/client',
  'zod',
];

const SERVER_MODULE = 'virtual:adorable-server';

export function viteConfig({ appDir, deps, host, port, publicHost, cacheDir }, { react, http, log }) {
  return {
    configFile: false,
    root: appDir,
    envDir: false,
    envPrefix: 'VITE_',
    cacheDir,
    appType: 'spa',
    clearScreen: false,
    customLogger: toLogger(log),
    css: { postcss: { plugins: [] } },
    plugins: [react, serverModule(), reusePrebundled({ deps, cacheDir })],
    optimizeDeps: { include: CLIENT_DEPENDENCIES, noDiscovery: true },
    server: {
      middlewareMode: true,
      host,
      port,
      strictPort: true,
      // The tree never changes under a running pod; the socket only tells open pages of a restart.
      watch: null,
      hmr: { server: http },
      allowedHosts: ['.preview.localhost', 'localhost', host, publicHost].filter(Boolean),
      fs: { strict: true, allow: [appDir, deps, cacheDir] },
    },
  };
}

/** Router and adapter through the app's own resolution: one copy of @trpc/server for both. */
function serverModule() {
  return {
    name: 'adorable:server',
    resolveId: (id) => (id === SERVER_MODULE ? `\0${SERVER_MODULE}` : undefined),
    load: (id) =>
      id === `\0${SERVER_MODULE}`
        ? `export { appRouter } from '/server/router.ts';
           export { nodeHTTPRequestHandler } from '@trpc/server/adapters/node-http';`
        : undefined,
  };
}

function toLogger(log) {
  const seen = new Set();
  const once = (message) => !seen.has(message) && seen.add(message);
  return {
    hasWarned: false,
    info: () => undefined,
    warn: (message) => log('warn', message),
    warnOnce: (message) => once(message) && log('warn', message),
    error: (message) => log('error', message),
    clearScreen: () => undefined,
    hasErrorLogged: () => false,
  };
}
