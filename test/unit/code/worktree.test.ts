import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createWorld, moment, operation, PROJECT, worktreeFiles } from './code-world.ts';
import type { World } from './code-world.ts';

let world: World;
beforeEach(async () => {
  world = createWorld();
  await world.code.ensureRepository(operation(1));
});
afterEach(async () => { await world.remove(); });

const save = async (number: number, reason = 'test') => await world.code.commitDirty({ ...operation(number), reason });

describe('commitDirty', () => {
  test('a clean worktree makes no commit', async () => {
    const head = world.git('rev-parse', 'HEAD');
    expect(await save(2)).toMatchObject({ commit: head, committed: false });
  });

  test('commits new, changed and deleted files, never node_modules, and a repeat finds its own commit', async () => {
    world.write('apps/notes/a.txt', 'one\n');
    world.write('apps/notes/node_modules/x/index.js', 'no\n');
    world.write('apps/notes/.gitignore', '!node_modules\n*.env\n');
    world.write('apps/notes/secret.env', 'PASSWORD=1\n');
    const first = await save(2);
    expect(first.committed).toBe(true);
    expect(world.git('ls-tree', '-r', '--name-only', 'HEAD')).toBe('.adorable/spec.json\napps/notes/.gitignore\napps/notes/a.txt');
    expect(await save(2)).toEqual(first);
    expect((await world.code.readCode({ projectId: PROJECT })).clean).toBe(true);
    world.git('rm', '-q', 'apps/notes/a.txt');
    expect((await save(3)).committed).toBe(true);
    expect(world.git('ls-tree', '-r', '--name-only', 'HEAD')).not.toContain('a.txt');
  });

  test('bytes are kept whatever attributes ask for, odd names too', async () => {
    world.write('.gitattributes', '* text eol=crlf ident\n');
    world.write('crlf.txt', 'a\r\nb\n$Id$\n');
    world.write('na me\n"ü.txt', 'x');
    const point = await save(2);
    expect(world.git('cat-file', 'blob', 'HEAD:crlf.txt')).toBe('a\r\nb\n$Id$');
    expect(await world.code.readCode({ projectId: PROJECT })).toMatchObject({ commit: point.commit, clean: true });
  });

  test('a merge in the middle, a half-staged index and a stale index.lock do not matter', async () => {
    world.write('a.txt', 'base\n');
    await save(2);
    world.git('checkout', '-q', '-b', 'side');
    world.write('a.txt', 'side\n');
    world.git('commit', '-qam', 'side');
    world.git('checkout', '-q', 'main');
    world.write('a.txt', 'main\n');
    world.git('commit', '-qam', 'main');
    expect(() => world.git('merge', 'side')).toThrow();
    world.write('staged.txt', 'staged\n');
    world.git('add', 'staged.txt');
    const lock = join(world.work, '.git', 'index.lock');
    writeFileSync(lock, 'half');
    utimesSync(lock, 0, 0);
    const point = await save(3);
    expect(point.committed).toBe(true);
    expect(world.git('cat-file', 'blob', 'HEAD:a.txt')).toContain('<<<<<<<');
    expect(existsSync(lock)).toBe(false);
    expect(existsSync(join(world.work, '.git', 'MERGE_HEAD'))).toBe(false);
    expect(world.git('status', '--porcelain')).toBe('');
    expect(world.git('rev-list', '--parents', '-1', 'HEAD').split(' ')).toHaveLength(2);
  });

  test('another branch or a detached HEAD: the worktree lands on main, their commits stay reachable', async () => {
    world.git('checkout', '-q', '--detach');
    world.write('mine.txt', 'mine\n');
    world.git('add', 'mine.txt');
    world.git('commit', '-qm', 'detached');
    const theirs = world.git('rev-parse', 'HEAD');
    const point = await save(2);
    expect(world.git('rev-parse', 'main', 'refs/adorable/rescue/op_000000000002/detached-head').split('\n')).toEqual([point.commit, theirs]);
    expect(world.git('symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(world.git('show', 'main:mine.txt')).toBe('mine');
  });

  test('a nested repository is kept as files', async () => {
    mkdirSync(join(world.work, 'apps', 'nested'), { recursive: true });
    world.git('init', '-q', 'apps/nested');
    world.write('apps/nested/a.txt', 'a\n');
    await save(2);
    expect(world.git('show', 'HEAD:apps/nested/a.txt')).toBe('a');
    expect((await world.code.readCode({ projectId: PROJECT })).clean).toBe(true);
  });
});

describe('restoreVersion', () => {
  async function history() {
    world.write('apps/finance/a.txt', 'one\n');
    const before = await save(2);
    world.write('apps/finance/a.txt', 'two\n');
    world.write('apps/blog/index.html', 'blog\n');
    const after = await save(3);
    return { before, after };
  }

  test('history only grows, and a repeat makes the same commit', async () => {
    const { before, after } = await history();
    const back = await world.code.restoreVersion(moment(operation(4), before));
    expect(back.tree).toBe(before.tree);
    expect(world.git('rev-parse', 'HEAD', 'HEAD^')).toBe(`${back.commit}\n${after.commit}`);
    expect(await world.code.restoreVersion(moment(operation(4), before))).toEqual(back);
    const forth = await world.code.restoreVersion(moment(operation(5), after));
    expect(forth.tree).toBe(after.tree);
    expect(world.git('rev-list', '--count', 'HEAD')).toBe('5');
    expect(worktreeFiles(world)).toEqual(['.adorable/spec.json', 'apps/blog/index.html', 'apps/finance/a.txt']);
    expect(world.read('apps/finance/a.txt')).toBe('two\n');
    expect(world.git('status', '--porcelain')).toBe('');
    expect(world.git('fsck', '--strict', '--no-dangling')).toBe('');
  });

  test('a vanished app goes whole, with what was never committed in it; other untracked files stay', async () => {
    const { before } = await history();
    world.write('apps/blog/node_modules/x/index.js', 'x\n');
    world.write('apps/blog/draft.txt', 'unsaved draft\n');
    world.write('apps/finance/node_modules/y.js', 'y\n');
    world.write('todo.txt', 'mine\n');
    await world.code.restoreVersion(moment(operation(4), before));
    expect(worktreeFiles(world)).toEqual(['.adorable/spec.json', 'apps/finance/a.txt', 'apps/finance/node_modules/y.js', 'todo.txt']);
    expect(world.has('apps/blog')).toBe(false);
    const rescue = world.git('for-each-ref', '--format=%(refname)', 'refs/adorable/rescue/op_000000000004');
    expect(world.git('show', `${rescue}:apps/blog/draft.txt`)).toBe('unsaved draft');
  });

  test('a late edit is replaced, but kept at a rescue ref', async () => {
    const { before } = await history();
    world.write('apps/finance/a.txt', 'typed while the restore ran\n');
    await world.code.restoreVersion(moment(operation(4), before));
    expect(world.read('apps/finance/a.txt')).toBe('one\n');
    const rescue = world.git('for-each-ref', '--format=%(refname)', 'refs/adorable/rescue');
    expect(world.git('show', `${rescue}:apps/finance/a.txt`)).toBe('typed while the restore ran');
  });

  test('an untracked file where the target has a directory gives way, and is kept', async () => {
    const { after, before } = await history();
    await world.code.restoreVersion(moment(operation(4), before));
    world.write('apps/blog', 'a file\n');
    await world.code.restoreVersion(moment(operation(5), after));
    expect(world.read('apps/blog/index.html')).toBe('blog\n');
    expect(world.git('show', `${world.git('for-each-ref', '--format=%(refname)', 'refs/adorable/rescue')}:apps/blog`)).toBe('a file');
  });

  test('a link in place of a vanished app is removed, not followed', async () => {
    const { before } = await history();
    const outside = join(world.projectsDir, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'precious.txt'), 'x');
    world.git('rm', '-rq', 'apps/blog');
    const { symlinkSync } = await import('node:fs');
    mkdirSync(join(world.work, 'apps'), { recursive: true });
    symlinkSync(outside, join(world.work, 'apps', 'blog'));
    await world.code.restoreVersion(moment(operation(4), before));
    expect(existsSync(join(outside, 'precious.txt'))).toBe(true);
    expect(world.has('apps/blog')).toBe(false);
  });

  test('fast-forwards to a commit whose parent is HEAD, and makes the worktree follow even when HEAD is there already', async () => {
    const { before, after } = await history();
    const tree = world.git('commit-tree', before.tree, '-p', after.commit, '-m', 'next');
    const next = { commit: tree as typeof before.commit, tree: before.tree };
    expect(await world.code.restoreVersion(moment(operation(4), next))).toEqual(next);
    world.write('apps/finance/a.txt', 'spoiled\n');
    expect(await world.code.restoreVersion(moment(operation(4), next))).toEqual(next);
    expect(world.read('apps/finance/a.txt')).toBe('one\n');
  });

  test.each([['commit'], ['tree']])('refuses a moment whose %s is not in this history, and changes nothing', async (field) => {
    const { before, after } = await history();
    const wrong = moment(operation(4), { ...before, [field]: 'd'.repeat(40) });
    await expect(world.code.restoreVersion(wrong)).rejects.toMatchObject({ type: 'Unreachable' });
    expect(world.git('rev-parse', 'HEAD')).toBe(after.commit);
  });

  test('an older fence can not move HEAD', async () => {
    const { before, after } = await history();
    await expect(world.code.restoreVersion(moment(operation(1), before))).rejects.toMatchObject({ type: 'StaleFence' });
    expect(world.git('rev-parse', 'HEAD')).toBe(after.commit);
  });

  test('says what lies between two moments', async () => {
    const { before, after } = await history();
    expect(await world.code.diffTrees({ projectId: PROJECT, from: after.commit, to: before.tree })).toEqual([
      { app: 'blog', added: 0, changed: 0, deleted: 1, files: [{ path: 'apps/blog/index.html', change: 'deleted' }] },
      { app: 'finance', added: 0, changed: 1, deleted: 0, files: [{ path: 'apps/finance/a.txt', change: 'changed' }] },
    ]);
    expect(await world.code.commitsBetween({ projectId: PROJECT, from: before.commit, to: after.commit })).toEqual([{ sha: after.commit, subject: 'Save the worktree: test' }]);
  });
});

describe('killed between ref and worktree', () => {
  /** What the world looks like when the ref moved and nothing followed. */
  async function half() {
    world.write('apps/finance/a.txt', 'one\n');
    const before = await save(2);
    world.write('apps/blog/index.html', 'blog\n');
    world.write('apps/finance/a.txt', 'two\n');
    const after = await save(3);
    const commit = world.git('commit-tree', before.tree, '-p', after.commit, '-m', 'half') as typeof before.commit;
    world.git('update-ref', 'refs/adorable/following', after.commit);
    world.git('update-ref', 'refs/heads/main', commit);
    return { before, after, half: { commit, tree: before.tree } };
  }

  test('the repeat finishes the worktree', async () => {
    const { half: point } = await half();
    expect((await world.code.readCode({ projectId: PROJECT })).clean).toBe(false);
    expect(await world.code.restoreVersion(moment(operation(4), point))).toEqual(point);
    expect(worktreeFiles(world)).toEqual(['.adorable/spec.json', 'apps/finance/a.txt']);
    expect((await world.code.readCode({ projectId: PROJECT })).clean).toBe(true);
    expect(world.git('for-each-ref', 'refs/adorable/rescue')).toBe('');
  });

  test('the next commitDirty does not bring the old tree back, and keeps a real edit', async () => {
    const { half: point } = await half();
    world.write('notes.txt', 'mine\n');
    const saved = await save(5);
    expect(saved.committed).toBe(true);
    expect(world.git('diff-tree', '-r', '--name-status', point.commit, saved.commit)).toBe('A\tnotes.txt');
    expect(worktreeFiles(world)).toEqual(['.adorable/spec.json', 'apps/finance/a.txt', 'notes.txt']);
    expect((await world.code.readCode({ projectId: PROJECT })).clean).toBe(true);
  });
});
