#!/usr/bin/env node
/** Runs the tests under the pinned Node 24: `--browser` picks the browser suite, the rest goes to jest. */
import { join } from 'node:path';
import { ensureInstalled, root, runChild } from './install.mjs';

const node = await ensureInstalled();
const args = process.argv.slice(2);
const browser = args.includes('--browser');
process.chdir(root);
runChild(
  node,
  ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', join(root, 'jest.config.mjs'), ...args.filter((arg) => arg !== '--browser')],
  { ...process.env, ...(browser ? { ADORABLE_TEST_BROWSER: '1' } : {}) },
);
