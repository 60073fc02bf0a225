/** Production build of the client, and of the server's router when there is one; in memory, with our config. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export async function checkBuild(subject, vite, react) {
  const errors = [];
  const router = join(subject.dir, 'server', 'router.ts');
  if (!existsSync(join(subject.dir, 'index.html'))) {
    return [{ kind: 'build', file: subject.name(subject.dir), line: 1, message: 'the app has no index.html' }];
  }
  await attempt(errors, subject, async () => {
    const { modules } = await build(subject, vite, react, {});
    for (const id of modules) {
      // What is bundled into the client is public.
      if (id.startsWith(join(subject.dir, 'server/'))) {
        errors.push({ kind: 'build', file: subject.name(id), line: 1, message: 'server code is bundled into the client: import its types only' });
      }
    }
    refuseForeign(errors, subject, modules);
  });
  if (existsSync(router)) {
    await attempt(errors, subject, async () => {
      const { modules, result } = await build(subject, vite, react, { ssr: 'server/router.ts' });
      refuseForeign(errors, subject, modules);
      const entry = [result].flat().flatMap(({ output }) => output).find((chunk) => chunk.type === 'chunk' && chunk.isEntry);
      if (!entry?.exports.includes('appRouter')) {
        errors.push({ kind: 'build', file: subject.name(router), line: 1, message: 'server/router.ts does not export `appRouter`' });
      }
    });
  }
  return errors;
}

async function build(subject, vite, react, options) {
  const modules = new Set();
  // Collected as they are parsed: what is inlined or shaken out of a chunk was read all the same.
  const collect = { name: 'adorable:collect', moduleParsed: ({ id }) => void modules.add(id.replace(/[?#].*$/, '')) };
  const result = await vite.build({
    configFile: false,
    root: subject.dir,
    envDir: false,
    logLevel: 'silent',
    css: { postcss: { plugins: [] } },
    plugins: [react(), collect],
    build: { write: false, minify: false, reportCompressedSize: false, ...options },
  });
  return { modules: [...modules], result };
}

/** The last net: whatever the bundler really put in. */
function refuseForeign(errors, subject, modules) {
  for (const id of modules) {
    if (id.startsWith('/') && !subject.inside(id)) {
      errors.push({ kind: 'isolation', file: subject.name(id), line: 1, message: "this file outside the app's own tree was bundled" });
    }
  }
}

async function attempt(errors, subject, work) {
  try {
    await work();
  } catch (failure) {
    for (const error of failure.errors?.length ? failure.errors : [failure]) {
      const file = error.loc?.file ?? error.id?.replace(/[?#].*$/, '') ?? subject.dir;
      const message = String(error.message ?? error).replace(/\x1b\[[0-9;]*m/g, '').split(subject.tree).join('').slice(0, 1_000);
      errors.push({ kind: 'build', file: subject.name(file), line: error.loc?.line ?? 1, message });
    }
  }
}
