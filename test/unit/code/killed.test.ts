/** I2 and I9 on real processes: a restore killed -9 (git children too) anywhere, then done again. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lutimesSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createWorld, moment, operation, PROJECT, worktreeFiles } from './code-world.ts';
import type { World } from './code-world.ts';

const CHILD = join(import.meta.dirname, 'restore-child.ts');

let world: World;
beforeEach(async () => {
  world = createWorld();
  await world.code.ensureRepository(operation(1));
});
afterEach(async () => { await world.remove(); });

async function startAndKill(number: number, point: { commit: string; tree: string }, afterMs: number): Promise<'killed' | 'done'> {
  const child = spawn(process.execPath, [CHILD, world.projectsDir, String(number), point.commit, point.tree], { detached: true, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, NODE_OPTIONS: '' } });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  await Promise.race([ended, sleep(afterMs)]);
  if (child.exitCode !== null) return 'done';
  process.kill(-(child.pid ?? 0), 'SIGKILL');
  await ended;
  return 'killed';
}

/**
 * A rescue is the worktree as it was found. A file in it that is not the target's is one that a killed
 * git had half written (kept like a person's edit), or one that the killed restore had not come to.
 */
function expectOnlyTornFiles(moments: readonly string[]): void {
  for (const ref of world.git('for-each-ref', '--format=%(refname)', 'refs/adorable/rescue').split('\n').filter((name) => name !== '')) {
    const parent = world.git('rev-parse', `${ref}^`);
    for (const line of world.git('diff-tree', '-r', '--diff-filter=M', parent, ref).split('\n').filter((text) => text !== '')) {
      const [, , wanted = '', found = '', , path = ''] = line.split(/[ \t]/);
      const isTorn = world.git('cat-file', 'blob', wanted).startsWith(world.git('cat-file', 'blob', found));
      const isLeft = moments.some((tree) => world.git('ls-tree', tree, path).split(/[ \t]/)[2] === found);
      expect({ ref, path, isTorn, isLeft }).not.toMatchObject({ isTorn: false, isLeft: false });
    }
  }
}

test('a restore killed at any point is finished by a repeat: same tree, history only grew, nothing left over', async () => {
  for (let file = 0; file < 40; file++) world.write(`apps/finance/f${String(file)}.txt`, `one ${String(file)}\n`);
  const before = await world.code.commitDirty({ ...operation(2), reason: 'before' });
  for (let file = 0; file < 40; file++) world.write(`apps/blog/f${String(file)}.txt`, `blog ${String(file)}\n`);
  world.write('apps/finance/f0.txt', 'two\n');
  const after = await world.code.commitDirty({ ...operation(3), reason: 'after' });
  const files = { [before.tree]: 41, [after.tree]: 81 };
  const outcomes: string[] = [];
  for (let round = 0; round < 10; round++) {
    const target = round % 2 === 0 ? before : after;
    const number = 10 + round;
    const head = world.git('rev-parse', 'HEAD');
    outcomes.push(await startAndKill(number, target, 15 + round * 22));
    const restored = await world.code.restoreVersion(moment(operation(number), target));
    expect(restored.tree).toBe(target.tree);
    expect(world.git('rev-parse', 'HEAD^')).toBe(head);
    expect(worktreeFiles(world)).toHaveLength(files[target.tree] ?? 0);
    expect(await world.code.readCode({ projectId: PROJECT })).toEqual({ ...restored, clean: true });
    expect(world.git('for-each-ref', 'refs/adorable/following')).toBe('');
    expectOnlyTornFiles([before.tree, after.tree]);
    expect(readdirSync(join(world.work, '.git')).filter((name) => name.endsWith('.lock') || name === 'adorable-lock')).toEqual([]);
  }
  expect(outcomes.filter((outcome) => outcome === 'killed').length).toBeGreaterThan(3);
  expect(world.git('fsck', '--strict', '--no-dangling')).toBe('');
}, 120_000);

test('a writer stopped while it holds the lock loses its turn, and its late write is refused', async () => {
  world.write('a.txt', 'one\n');
  const before = await world.code.commitDirty({ ...operation(2), reason: 'before' });
  world.write('a.txt', 'two\n');
  const after = await world.code.commitDirty({ ...operation(3), reason: 'after' });
  const gate = join(world.projectsDir, 'gate');
  const child = spawn(process.execPath, [CHILD, world.projectsDir, '4', before.commit, before.tree, gate], { stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, NODE_OPTIONS: '' } });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => { said += chunk.toString(); });
  const ended = once(child, 'exit');
  while (!said.includes('locked')) await sleep(20);
  child.kill('SIGSTOP');
  const lock = join(world.work, '.git', 'adorable-lock');
  lutimesSync(lock, 0, 0);
  // The unwinding takes a new fence and leaves HEAD where it is: the expected old value alone would let the late write in.
  expect(await world.code.restoreVersion(moment(operation(5), after))).toMatchObject({ commit: after.commit });
  writeFileSync(gate, '');
  child.kill('SIGCONT');
  await ended;
  expect(said).toBe('begin\nlocked\nStaleFence\n');
  expect(world.git('rev-parse', 'HEAD')).toBe(after.commit);
  expect(world.read('a.txt')).toBe('two\n');
}, 30_000);
