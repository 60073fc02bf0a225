#!/usr/bin/env node
/** `npm run test:faults`: installs, then runs the fault harness under the pinned Node 24. */
import { join } from 'node:path';
import { ensureInstalled, root, runChild } from './install.mjs';

const node = await ensureInstalled();
runChild(node, ['--disable-warning=ExperimentalWarning', join(root, 'test', 'faults', 'main.ts'), ...process.argv.slice(2)]);
