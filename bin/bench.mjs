#!/usr/bin/env node
/** Runs a benchmark under the pinned Node 24: `bench.mjs restore|workflow|generation [options]`, `--help` of each says more. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, root, runChild } from './install.mjs';

const [name = '', ...args] = process.argv.slice(2);
const entry = join(root, 'bench', name, 'main.ts');
if (!/^[a-z]+$/.test(name) || !existsSync(entry)) {
  console.error('Usage: npm run bench:restore -- [options] | npm run bench:workflow -- [options] | npm run bench:generation -- [options]; --help says which.');
  process.exit(2);
}
const node = await ensureInstalled();
runChild(node, ['--disable-warning=ExperimentalWarning', entry, ...args]);
