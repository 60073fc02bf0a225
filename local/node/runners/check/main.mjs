/**
 * Check runner: isolation, type-check and build of one app in a scratch tree, before its commit (I8, I10).
 * `node main.mjs --tree DIR --app apps/<slug>` prints one JSON line {ok, errors:[{kind,file,line,message}], ms};
 * exit 0 when ok, 1 with errors, 2 when it could not check. Nothing is written into the tree.
 */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { checkBuild } from './build.mjs';
import { checkIsolation } from './isolation.mjs';
import { openApp } from './subject.mjs';
import { checkTypes } from './types.mjs';

const MAX_ERRORS = 50;

async function main() {
  const started = performance.now();
  const { values } = parseArgs({ options: { tree: { type: 'string' }, app: { type: 'string' } } });
  if (!values.tree || !/^apps\/[a-z0-9-]+$/.test(values.app ?? '')) {
    throw new Error('Usage: main.mjs --tree DIR --app apps/<slug>');
  }
  const subject = openApp(realpathSync(values.tree), values.app);
  const vite = await import(pathToFileURL(join(subject.deps, 'vite/dist/node/index.js')).href);
  const { default: react } = await import(pathToFileURL(join(subject.deps, '@vitejs/plugin-react/dist/index.js')).href);

  // What leaves the tree is not type-checked or built: that would read it.
  let errors = await checkIsolation(subject, vite);
  if (errors.length === 0) {
    const [types, build] = await Promise.all([checkTypes(subject), checkBuild(subject, vite, react)]);
    errors = [...types, ...build];
  }
  report({ ok: errors.length === 0, errors: errors.slice(0, MAX_ERRORS), ms: Math.round(performance.now() - started) });
  process.exitCode = errors.length === 0 ? 0 : 1;
}

function report(outcome) {
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
}

main().catch((error) => {
  report({ ok: false, errors: [{ kind: 'internal', file: '', line: 0, message: String(error?.message ?? error) }], ms: 0 });
  process.exitCode = 2;
});
