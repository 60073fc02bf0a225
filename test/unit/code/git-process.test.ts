/** The small process that starts git: killed it is started again, and it ends with its parent. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGit } from '../../../activities/code/adapters/git.ts';
import { until } from '../../support/stopped.ts';

const MAIN = 'git-process-main.ts';
let dir: string;
beforeAll(() => {
  others = new Set(childrenOf(process.pid));
  dir = mkdtempSync(join(tmpdir(), 'adorable-git-process-'));
  spawnSync('git', ['init', '-q', dir]);
});
afterAll(() => { rmSync(dir, { recursive: true, force: true }); });

/** Pids of this kind whose parent is that one. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const ppid = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1];
      return Number(ppid) === parent && readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes(MAIN);
    } catch {
      return false;
    }
  });
}

/** Suites before this one, in the same jest worker, leave theirs to its idle limit. */
let others: ReadonlySet<number>;
const own = (): number[] => childrenOf(process.pid).filter((pid) => !others.has(pid));

test('many calls side by side are answered by one process, each with its own answer', async () => {
  const git = createGit(join(dir, '.git'), dir);
  const answers = await Promise.all(Array.from({ length: 20 }, async (_, number) => await git.run(['hash-object', '-w', '--stdin'], { input: `text ${String(number)}` })));
  expect(new Set(answers).size).toBe(20);
  const read = await Promise.all(answers.map(async (hash) => await git.run(['cat-file', 'blob', hash.trim()])));
  expect(read).toEqual(Array.from({ length: 20 }, (_, number) => `text ${String(number)}`));
  expect(await git.bytes(['cat-file', 'blob', answers[3]?.trim() ?? ''])).toEqual(Buffer.from('text 3'));
  expect(own()).toHaveLength(1);
});

test('killed under a call: that one fails as one to try again, and the next is answered', async () => {
  const git = createGit(join(dir, '.git'), dir);
  const fifo = join(dir, 'fifo');
  spawnSync('mkfifo', [fifo]);
  // Reads until somebody writes.
  const held = git.run(['hash-object', '--no-filters', fifo]).then(() => undefined, (error: unknown) => error);
  const [pid = 0] = own();
  await until('git at the pipe', () => readdirSync('/proc').some((name) => {
    try { return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(`hash-object\0--no-filters\0${fifo}`); } catch { return false; }
  }) || undefined);
  process.kill(pid, 'SIGKILL');
  expect(await held).toMatchObject({ type: 'Unavailable' });
  closeSync(openSync(fifo, 'w'));
  expect(await git.run(['hash-object', '--stdin'], { input: 'again' })).toMatch(/^[0-9a-f]{40}\n$/);
  expect(own()).not.toContain(pid);
});

test('it ends with its parent, however that ends', async () => {
  const code = `const { createGit } = await import(${JSON.stringify(new URL('../../../activities/code/adapters/git.ts', import.meta.url).href)});
    await createGit(${JSON.stringify(join(dir, '.git'))}, ${JSON.stringify(dir)}).run(['rev-parse', '--git-dir']);
    process.stdout.write('ready');
    if (process.argv[1] === 'stay') setInterval(() => undefined, 1000);`;
  const start = (how: string) => spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', code, how], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NODE_OPTIONS: '' } });
  const stays = start('stay');
  await new Promise((resolve) => stays.stdout.once('data', resolve));
  const [pid = 0] = childrenOf(stays.pid ?? 0);
  expect(pid).toBeGreaterThan(0);
  stays.kill('SIGKILL');
  await until('its end', () => childrenOf(stays.pid ?? 0).length === 0 && !readdirSync('/proc').includes(String(pid)) || undefined);
  // And it does not keep one that has nothing else to do.
  const leaves = start('leave');
  expect(await new Promise((resolve) => leaves.once('exit', resolve))).toBe(0);
});
