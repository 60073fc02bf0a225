#!/usr/bin/env node
/** The entry on a fresh machine: installs, then runs the CLI under the pinned Node 24. */
import { join } from 'node:path';
import { ensureInstalled, root, runChild } from './install.mjs';

const node = await ensureInstalled();
runChild(node, ['--disable-warning=ExperimentalWarning', join(root, 'cli', 'main.ts'), ...process.argv.slice(2)]);
