/** Answers isolation checks over stdin and stdout, one JSON line each: the bundler is loaded once for all of them. */
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkIsolation } from '../../../local/node/runners/check/isolation.mjs';
import { openApp } from '../../../local/node/runners/check/subject.mjs';

const [tree, app] = process.argv.slice(2);
const subject = openApp(tree, app);
const vite = await import(pathToFileURL(join(subject.deps, 'vite/dist/node/index.js')).href);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === '') continue;
  try {
    process.stdout.write(`${JSON.stringify(await checkIsolation(subject, vite))}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify([{ kind: 'crash', file: '', line: 0, message: String(error.stack) }])}\n`);
  }
}
