#!/usr/bin/env node
/**
 * Runs the tests under the pinned Node 24. Without arguments: units and workflows, then the
 * end-to-end tests, each with two suites side by side: a suite on whole platforms waits more than
 * it computes, and platforms do not touch each other. `--browser` picks the browser suite; other
 * arguments go to one jest run.
 * The last line, `N passed, N failed`, is added up from jest's own counts.
 */
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { spawn } from 'node:child_process';
import { ensureInstalled, root } from './install.mjs';

const node = await ensureInstalled();
const args = process.argv.slice(2);
const browser = args.includes('--browser');
const rest = args.filter((arg) => arg !== '--browser');
const scratch = mkdtempSync(join(tmpdir(), 'adorable-test-'));
/** One platform for each jest worker: `test/support/platform.ts`. */
const platforms = mkdtempSync(join(tmpdir(), 'ade-'));
chmodSync(platforms, 0o711);
const counts = { passed: 0, failed: 0 };
/** Named once more at the end: a CI keeps the tail of what is printed. */
const failures = [];

const longestFirst = ['--testSequencer', join(root, 'test', 'support', 'longest-first.mjs')];
const runs = browser
  ? [['--runInBand', '--testPathPatterns', 'test/browser', ...rest]]
  : rest.length > 0
    ? [rest]
    : [['--testPathIgnorePatterns', 'test/e2e', 'test/browser', ...longestFirst], ['--testPathPatterns', 'test/e2e', ...longestFirst]];

if (!browser && rest.length === 0) {
  console.error('Units and workflows first, then end to end on the real engines: about 18 min on two cores once the engines are cached.');
}
let code = 0;
let interrupted = false;
for (const [index, run] of runs.entries()) {
  if (interrupted) break;
  const file = join(scratch, `${index}.json`);
  const exit = await jest([...run, '--json', `--outputFile=${file}`]);
  if (exit !== 0) code = exit;
  count(file);
}
await stopPlatforms();
rmSync(scratch, { recursive: true, force: true });
if (counts.passed + counts.failed === 0) code ||= 1;
for (const failure of failures) console.error(`failed: ${failure}`);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = code;

/** jest's JSON goes to its file; what it prints for people goes to stderr. */
function jest(jestArgs) {
  return new Promise((resolve) => {
    const child = spawn(
      node,
      ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--config', join(root, 'jest.config.mjs'), ...jestArgs],
      { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ADORABLE_TEST_PLATFORMS: platforms, ...(browser ? { ADORABLE_TEST_BROWSER: '1' } : {}) } },
    );
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => { interrupted = true; child.kill(signal); });
    child.once('close', (exit) => resolve(exit ?? 1));
  });
}

/** What the suites shared is stopped here, also when a signal ended them; a process that is left counts as a failure. */
async function stopPlatforms() {
  for (const name of readdirSync(platforms)) {
    const data = join(platforms, name, 'data');
    if (!existsSync(data)) continue;
    const said = await lastLineOf(['--disable-warning=ExperimentalWarning', join(root, 'cli', 'main.ts'), 'down', '--json', '--data', data]);
    if (/"left":\[\]/.test(said)) continue;
    console.error(`The platform in ${data} was not stopped whole: ${said}`);
    counts.failed += 1;
    failures.push(`the stop of the platform in ${data}`);
    code ||= 1;
  }
  if (code === 0 || readdirSync(platforms).length === 0) rmSync(platforms, { recursive: true, force: true });
  else console.error(`The logs of what failed are in ${platforms}.`);
}

function lastLineOf(args) {
  return new Promise((resolve) => {
    const child = spawn(node, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => { text += chunk; });
    child.once('close', () => resolve(text.trim().split('\n').at(-1) ?? ''));
  });
}

/** A suite that could not run at all counts as a failure: it has no tests to count. */
function count(file) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    counts.failed += 1;
    failures.push('jest left no report');
    return;
  }
  for (const { name, message, status, assertionResults } of report.testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed');
    const suite = relative(root, name);
    failures.push(...failed.map(({ fullName, failureMessages }) => `${suite} › ${fullName}: ${firstLines(failureMessages[0])}`));
    if (status === 'failed' && failed.length === 0) failures.push(`${suite}: ${firstLines(message)}`);
  }
  counts.passed += report.numPassedTests;
  counts.failed += report.numFailedTests + report.numRuntimeErrorTestSuites;
}

function firstLines(message = '') {
  return stripVTControlCharacters(message).split('\n').map((line) => line.trim()).filter((line) => line !== '').slice(0, 4).join(' | ').slice(0, 600);
}
