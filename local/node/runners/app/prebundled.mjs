/**
 * Pre-bundled client dependencies, made once where the dependencies are installed and copied at start:
 * half a second and 150 MB less for every pod. Vite keys its bundle by the app's directory too, which
 * differs for every tree although the bundle does not; so the copy is given the key of this server. Should
 * the key not fit (another Vite), Vite bundles again by itself: only slower.
 */
import { hash } from 'node:crypto';
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const METADATA = '_metadata.json';

/** Beside the dependencies: `deps/<hash>/{node_modules,prebundled}`. */
export const prebundledDir = (deps) => join(deps, '..', 'prebundled');

export function reusePrebundled({ deps, cacheDir }) {
  return {
    name: 'adorable:prebundled',
    // Runs before the optimizer looks into its cache.
    configureServer(server) {
      const from = prebundledDir(deps);
      const to = join(cacheDir, 'deps');
      if (!existsSync(join(from, METADATA))) return;
      // What an earlier start left is read-only like its source: replaced, not overwritten.
      rmSync(to, { recursive: true, force: true });
      cpSync(from, to, { recursive: true, filter: (path) => basename(path) !== METADATA });
      const metadata = JSON.parse(readFileSync(join(from, METADATA), 'utf8'));
      for (const info of Object.values(metadata.optimized)) {
        info.src = join(deps, info.src.slice(info.src.lastIndexOf('/node_modules/') + '/node_modules/'.length));
      }
      metadata.configHash = configHash(server.environments.client.config);
      writeFileSync(join(to, METADATA), JSON.stringify(metadata));
    },
  };
}

/** As Vite 8 computes it (`getConfigHash`). */
function configHash(config) {
  const { include, exclude, rolldownOptions } = config.optimizeDeps;
  const text = JSON.stringify(
    {
      define: !config.keepProcessEnv ? process.env.NODE_ENV || config.mode : null,
      root: config.root,
      resolve: config.resolve,
      assetsInclude: config.assetsInclude,
      plugins: config.plugins.map((plugin) => plugin.name),
      optimizeDeps: {
        include: include ? [...new Set(include)].sort() : undefined,
        exclude: exclude ? [...new Set(exclude)].sort() : undefined,
        rolldownOptions: {
          ...rolldownOptions,
          plugins: undefined,
          onLog: undefined,
          onwarn: undefined,
          checks: undefined,
          output: { ...rolldownOptions?.output, plugins: undefined },
        },
      },
      optimizeDepsPluginNames: config.optimizeDepsPluginNames,
    },
    (_, value) => (typeof value === 'function' || value instanceof RegExp ? value.toString() : value),
  );
  return hash('sha256', text, 'hex').slice(0, 8);
}
