import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSeeds } from '../../../activities/code/read-app-files.ts';
import { createWorld, operation, PROJECT, REVISION, worktreeFiles } from './code-world.ts';
import type { World } from './code-world.ts';

let world: World;
beforeEach(() => { world = createWorld(); });
afterEach(async () => { await world.remove(); });

const failure = async (work: Promise<unknown>): Promise<string> => await work.then(() => 'nothing', (error: unknown) => (error as { type: string }).type);

describe('ensureRepository', () => {
  test('makes the same first commit on every run and on another machine (I9)', async () => {
    const first = await world.code.ensureRepository(operation(1));
    expect(await world.code.ensureRepository(operation(1))).toEqual(first);
    const other = createWorld();
    expect(await other.code.ensureRepository(operation(1))).toEqual(first);
    await other.remove();
    expect(worktreeFiles(world)).toEqual(['.adorable/spec.json']);
    expect(await world.code.readCode({ projectId: PROJECT })).toEqual({ ...first, clean: true });
    expect(world.git('status', '--porcelain')).toBe('');
    expect(world.git('log', '-1', '--format=%an <%ae> %ct %(trailers:only)')).toBe('Adorable Runtime <runtime@adorable.dev> 1700000001 Adorable-Operation: op_000000000001');
    expect(await world.code.readSpecAt({ projectId: PROJECT, commit: first.commit })).toMatchObject({ projectId: PROJECT, apps: [], services: [] });
  });

  test('pods can traverse the project, nobody else reads the repository', async () => {
    await world.code.ensureRepository(operation(1));
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);
    expect(mode(join(world.projectsDir, PROJECT))).toBe('711');
    expect(mode(join(world.work, '.git'))).toBe('700');
  });

  test.each([['a half-made .git', ''], ['a lock of a killed init', 'config.lock']])('finishes %s', async (_name, lock) => {
    await world.code.ensureRepository(operation(1));
    world.git('update-ref', '-d', 'refs/heads/main');
    if (lock !== '') {
      writeFileSync(join(world.work, '.git', lock), '');
      utimesSync(join(world.work, '.git', lock), 0, 0);
    }
    const point = await world.code.ensureRepository(operation(1));
    expect(world.git('rev-parse', 'HEAD')).toBe(point.commit);
  });
});

describe('the fence', () => {
  test('refuses an older operation and names both numbers', async () => {
    await world.code.ensureRepository(operation(1));
    await world.code.commitDirty({ ...operation(7), reason: 'newer' });
    world.write('late.txt', 'late\n');
    const head = world.git('rev-parse', 'HEAD');
    await expect(world.code.commitDirty({ ...operation(3), reason: 'late' })).rejects.toMatchObject({ type: 'StaleFence', details: { fence: 3, stored: 7 } });
    expect(world.git('rev-parse', 'HEAD')).toBe(head);
  });

  test('is checked inside the ref transaction: a writer that was stopped in the middle can not land', async () => {
    await world.code.ensureRepository(operation(1));
    world.write('slow.txt', 'slow\n');
    const slow = { ...operation(2) };
    // The stopped writer's clock is the last thing it asks before it commits: meanwhile it loses its turn.
    const original = world.deps.operationTime.bind(world.deps);
    Object.assign(world.deps, {
      operationTime: async (id: Parameters<typeof original>[0]) => {
        if (id === slow.operationId) world.git('update-ref', 'refs/adorable/fence', world.git('rev-parse', 'HEAD:.adorable/spec.json'));
        return await original(id);
      },
    });
    const head = world.git('rev-parse', 'HEAD');
    expect(await failure(world.code.commitDirty({ ...slow, reason: 'slow' }))).toBe('StaleFence');
    expect(world.git('rev-parse', 'HEAD')).toBe(head);
  });

  test('a dead holder is taken over, a live one is waited for', async () => {
    await world.code.ensureRepository(operation(1));
    const { hostname } = await import('node:os');
    symlinkSync(`${hostname()}/999999999/1/dead`, join(world.work, '.git', 'adorable-lock'));
    world.write('a.txt', 'a\n');
    const both = await Promise.all([world.code.commitDirty({ ...operation(2), reason: 'x' }), world.code.commitDirty({ ...operation(2), reason: 'x' })]);
    expect(both[0]).toEqual(both[1]);
  });

  test('a deleted project stays deleted for late writers; a newer operation may start anew', async () => {
    await world.code.ensureRepository(operation(1));
    await world.code.deleteRepository(operation(5));
    await world.code.deleteRepository(operation(5));
    expect(() => statSync(join(world.projectsDir, PROJECT))).toThrow();
    expect(await failure(world.code.ensureRepository(operation(1)))).toBe('StaleFence');
    expect(await failure(world.code.ensureRepository(operation(5)))).toBe('StaleFence');
    expect(await failure(world.code.commitDirty({ ...operation(6), reason: 'x' }))).toBe('NotFound');
    await world.code.ensureRepository(operation(6));
  });
});

describe('bad input', () => {
  test.each(['../../etc', 'qiwykfu39n/..', '', 'UPPERCASE1'])('project id %j reaches no file', async (id) => {
    expect(await failure(world.code.readCode({ projectId: id as typeof PROJECT }))).toBe('InvalidInput');
  });

  test('an unknown project is NotFound', async () => {
    expect(await failure(world.code.readCode({ projectId: 'aaaaaaaaaa' as typeof PROJECT }))).toBe('NotFound');
  });

  test('hooks and user configuration of the repository are not run', async () => {
    await world.code.ensureRepository(operation(1));
    const hook = join(world.work, '.git', 'hooks', 'reference-transaction');
    const { mkdirSync } = await import('node:fs');
    mkdirSync(join(world.work, '.git', 'hooks'));
    writeFileSync(hook, '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    world.write('a.txt', 'a\n');
    expect((await world.code.commitDirty({ ...operation(2), reason: 'x' })).committed).toBe(true);
  });
});

describe('plan specs', () => {
  test('live at their own ref; HEAD does not move, a repeat makes the same commit', async () => {
    const head = await world.code.ensureRepository(operation(1));
    const document = { version: 1, apps: [{ slug: 'blog', target: '$NEW:blog' }] };
    const one = await world.code.writePlanSpec({ projectId: PROJECT, revisionId: REVISION, document });
    expect(await world.code.writePlanSpec({ projectId: PROJECT, revisionId: REVISION, document })).toEqual(one);
    expect(await world.code.readPlanSpec({ projectId: PROJECT, revisionId: REVISION })).toEqual({ commit: one.commit, document });
    expect(world.git('rev-parse', `refs/adorable/plan/${REVISION}`, 'HEAD')).toBe(`${one.commit}\n${head.commit}`);
    expect(world.git('rev-parse', `${one.commit}^`)).toBe(head.commit);
  });

  const edit = (text: string): string => {
    const blob = execFileSync('git', ['hash-object', '-w', '--stdin'], { cwd: world.work, input: text, encoding: 'utf8' }).trim();
    const tree = execFileSync('git', ['mktree', '--missing'], { cwd: world.work, encoding: 'utf8', input: `040000 tree ${execFileSync('git', ['mktree'], { cwd: world.work, input: `100644 blob ${blob}\tspec.json\n`, encoding: 'utf8' }).trim()}\t.adorable\n` }).trim();
    const commit = world.git('commit-tree', '-m', 'edited', tree);
    world.git('update-ref', `refs/adorable/plan/${REVISION}`, commit);
    return commit;
  };

  test('one that a person edited is read as it is now, or as a commit had it; nonsense is refused, never retried', async () => {
    await world.code.ensureRepository(operation(1));
    const of = { projectId: PROJECT, revisionId: REVISION };
    const { commit } = await world.code.writePlanSpec({ ...of, document: { version: 1 } });
    const edited = edit('{"version":1,"by":"hand"}');
    expect(await world.code.readPlanSpec(of)).toEqual({ commit: edited, document: { version: 1, by: 'hand' } });
    expect(await world.code.readPlanSpec({ ...of, commit })).toEqual({ commit, document: { version: 1 } });
    edit('no JSON at all');
    await expect(world.code.readPlanSpec(of)).rejects.toMatchObject({ type: 'PlanRefused', details: { reasons: [{ code: 'shape' }] } });
    edit(`"${'x'.repeat(4_000_001)}"`);
    await expect(world.code.readPlanSpec(of)).rejects.toMatchObject({ type: 'InvalidInput' });
    world.git('update-ref', '-d', `refs/adorable/plan/${REVISION}`);
    await expect(world.code.readPlanSpec(of)).rejects.toMatchObject({ type: 'NotFound' });
    expect((await world.code.readPlanSpec({ ...of, commit })).document).toEqual({ version: 1 });
  });

  test('seeds are read from a moment\'s own tree, by name; what is none is left out, a huge one refused', async () => {
    await world.code.ensureRepository(operation(1));
    for (const [name, text] of [['02_b.json', '{"b":1}'], ['01_a.json', '{"a":1}'], ['Notes.txt', 'x'], ['../outside.json', '{}']] as const) world.write(`apps/blog/seeds/${name}`, text);
    const { tree } = await world.code.commitDirty({ ...operation(2), reason: 'seeds' });
    expect((await readSeeds(world.projectsDir, { projectId: PROJECT, tree, fsDirName: 'blog' })).map(({ name, text }) => [name, text])).toEqual([['01_a.json', '{"a":1}'], ['02_b.json', '{"b":1}']]);
    expect(await readSeeds(world.projectsDir, { projectId: PROJECT, tree, fsDirName: 'other' })).toEqual([]);
    world.write('apps/blog/seeds/03_c.json', `"${'x'.repeat(1_000_001)}"`);
    const huge = await world.code.commitDirty({ ...operation(2), reason: 'seeds' });
    await expect(readSeeds(world.projectsDir, { projectId: PROJECT, tree: huge.tree, fsDirName: 'blog' })).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});
