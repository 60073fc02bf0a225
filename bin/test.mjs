#!/usr/bin/env node
/**
 * Runs the tests under the pinned Node 24. Without arguments: units and workflows, then the
 * end-to-end tests, each with two suites side by side: a suite on whole platforms waits more than
 * it computes, and platforms do not touch each other. `--browser` picks the browser suite; other arguments go to one jest run.
 * The last line, `N passed, N failed`, is added up from jest's own counts.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { ensureInstalled, root } from './install.mjs';

const node = await ensureInstalled();
const args = process.argv.slice(2);
const browser = args.includes('--browser');
const rest = args.filter((arg) => arg !== '--browser');
const scratch = mkdtempSync(join(tmpdir(), 'adorable-test-'));
const counts = { passed: 0, failed: 0 };

const runs = browser
  ? [['--runInBand', '--testPathPatterns', 'test/browser', ...rest]]
  : rest.length > 0
    ? [rest]
    : [['--testPathIgnorePatterns', 'test/e2e', 'test/browser'], ['--testPathPatterns', 'test/e2e', '--testSequencer', join(root, 'test', 'support', 'longest-first.mjs')]];

if (!browser && rest.length === 0) {
  console.error('Units and workflows first, then end to end on the real engines: about 8 min once the engines are cached.');
}
let code = 0;
for (const [index, run] of runs.entries()) {
  const file = join(scratch, `${index}.json`);
  const exit = await jest([...run, '--json', `--outputFile=${file}`]);
  if (exit !== 0) code = exit;
  count(file);
}
rmSync(scratch, { recursive: true, force: true });
if (counts.passed + counts.failed === 0) code ||= 1;
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = code;

/** jest's JSON goes to its file; what it prints for people goes to stderr. */
function jest(jestArgs) {
  return new Promise((resolve) => {
    const child = spawn(
      node,
      ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', join(root, 'jest.config.mjs'), ...jestArgs],
      { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...(browser ? { ADORABLE_TEST_BROWSER: '1' } : {}) } },
    );
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => child.kill(signal));
    child.once('close', (exit) => resolve(exit ?? 1));
  });
}

/** A suite that could not run at all counts as a failure: it has no tests to count. */
function count(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    counts.failed += 1;
    return;
  }
  counts.passed += report.numPassedTests;
  counts.failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
}
