import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readAppTrees } from '../../../activities/code/app-trees.ts';
import { resolveAppFile } from '../../../activities/code/app-tree.ts';
import { AdorableError } from '../../../shared/errors.ts';
import { app, bucket, createWorld, generate, moment, operation, PROJECT, REVISION, worktreeFiles } from './code-world.ts';
import type { World } from './code-world.ts';

let world: World;
const blog = app(1, 'blog');
const finance = app(2, 'personal-finance');
beforeEach(async () => {
  world = createWorld();
  await world.code.ensureRepository(operation(1));
});
afterEach(async () => { await world.remove(); });

describe('a generation', () => {
  test('two apps, one commit, HEAD and worktree untouched until restoreVersion; every step twice gives the same', async () => {
    const fenced = operation(2);
    const head = world.git('rev-parse', 'HEAD');
    world.declared = { ...world.declared, apps: [blog, finance] };
    for (const one of [blog, finance]) {
      const made = { ...fenced, app: { appId: one.id, slug: one.slug, kind: one.kind, name: one.name, featureId: 'f' } };
      await world.code.scaffoldApp(made);
      await world.code.scaffoldApp(made);
      const produce = { ...fenced, bucket: bucket(one), revisionId: REVISION };
      expect(await world.code.produceApp(produce)).toEqual({ files: 4, canMend: false });
      expect(await world.code.produceApp(produce)).toEqual({ files: 4, canMend: false });
      const checked = await world.code.checkApp({ ...fenced, bucket: bucket(one) });
      expect(await world.code.checkApp({ ...fenced, bucket: bucket(one) })).toEqual(checked);
      expect(world.git('rev-parse', `refs/adorable/run/${fenced.operationId}/${one.id}`)).toBe(checked.commit);
    }
    const compose = { ...fenced, buckets: [blog, finance].map(bucket), revisionId: REVISION };
    const point = await world.code.composeCommit(compose);
    expect(await world.code.composeCommit(compose)).toEqual(point);
    expect(world.git('rev-parse', 'HEAD')).toBe(head);
    expect(worktreeFiles(world)).toEqual(['.adorable/spec.json']);
    expect(await world.code.readSpecAt({ projectId: PROJECT, commit: point.commit })).toMatchObject({ apps: [{ slug: 'blog' }, { slug: 'personal-finance' }], revisionId: REVISION });

    expect(await world.code.restoreVersion(moment(fenced, point))).toEqual(point);
    expect(await world.code.composeCommit(compose)).toEqual(point);
    expect(world.git('rev-parse', 'HEAD', 'HEAD^')).toBe(`${point.commit}\n${head}`);
    expect(worktreeFiles(world)).toContain('apps/personal-finance/src/main.ts');
    expect(world.git('log', '-1', '--format=%(trailers:only)')).toBe(`Adorable-Revision: ${REVISION}\nAdorable-Operation: ${fenced.operationId}`);

    await world.code.dropRun(fenced);
    await world.code.dropRun(fenced);
    expect(world.git('for-each-ref', 'refs/adorable/run')).toBe('');
    expect(readdirSync(join(world.projectsDir, PROJECT, 'scratch'))).toEqual([]);
  });

  test('the one commit lists its features and its revision, and a title forges neither', async () => {
    const { featuresOf } = world.deps.records;
    world.deps.records.featuresOf = async (revision, ids) => (await featuresOf(revision, ids)).map((feature) => ({ ...feature, title: `Show posts\n\nAdorable-Revision: rev_000000000666` }));
    const point = await generate(world, operation(2), [blog, finance]);
    world.deps.records.featuresOf = featuresOf;
    const [subject, , first, second] = world.git('log', '-1', '--format=%B', point.commit).split('\n');
    expect(subject).toBe('Generate blog, personal-finance');
    expect(first).toBe('- blog: Show posts Adorable-Revision: rev_000000000666 (f_blog)');
    expect(second).toBe('- personal-finance: Show posts Adorable-Revision: rev_000000000666 (f_personal-finance)');
    expect(world.git('log', '-1', '--format=%(trailers:only)', point.commit)).toBe(`Adorable-Revision: ${REVISION}\nAdorable-Operation: ${operation(2).operationId}`);
  });

  test('a second generation changes only its app', async () => {
    await generate(world, operation(2), [blog]);
    world.write('apps/blog/index.html', 'edited by a person\n');
    await world.code.commitDirty({ ...operation(3), reason: 'pre-generation' });
    await generate(world, operation(3), [finance]);
    expect(world.read('apps/blog/index.html')).toBe('edited by a person\n');
    expect(world.has('apps/personal-finance/index.html')).toBe(true);
  });

  test('parallel buckets of one operation do not disturb each other', async () => {
    const fenced = operation(2);
    const many = [1, 2, 3, 4].map((number) => app(number, `app-${String(number)}`));
    world.declared = { ...world.declared, apps: many };
    await Promise.all(many.map(async (one) => {
      await world.code.scaffoldApp({ ...fenced, app: { appId: one.id, slug: one.slug, kind: one.kind, name: one.name, featureId: 'f' } });
      await world.code.produceApp({ ...fenced, bucket: bucket(one), revisionId: REVISION });
      await world.code.checkApp({ ...fenced, bucket: bucket(one) });
    }));
    const point = await world.code.composeCommit({ ...fenced, buckets: many.map(bucket), revisionId: REVISION });
    expect(world.git('ls-tree', '--name-only', `${point.commit}:apps`).split('\n')).toEqual(['app-1', 'app-2', 'app-3', 'app-4']);
  });

  test('an app that the revision does not declare is refused before anything is produced', async () => {
    let produced = 0;
    world.produce = () => { produced++; };
    const request = { ...operation(2), bucket: bucket(blog), revisionId: REVISION };
    await expect(world.code.produceApp(request)).rejects.toMatchObject({ type: 'UnmaterializedApp' });
    expect(produced).toBe(0);
  });

  test('a bucket without a checked result, and a declared app without code, refuse the commit', async () => {
    const compose = { ...operation(2), buckets: [bucket(blog)], revisionId: REVISION };
    await expect(world.code.composeCommit(compose)).rejects.toMatchObject({ type: 'PreconditionFailed' });
    await world.code.scaffoldApp({ ...operation(2), app: { appId: blog.id, slug: blog.slug, kind: blog.kind, name: blog.name, featureId: 'f' } });
    await expect(world.code.composeCommit(compose)).rejects.toMatchObject({ type: 'PreconditionFailed' });
    world.declared = { ...world.declared, apps: [blog] };
    await expect(world.code.composeCommit({ ...compose, buckets: [] })).rejects.toMatchObject({ type: 'InvariantViolated' });
  });

  test('a failing build carries its errors and writes no result', async () => {
    world.declared = { ...world.declared, apps: [blog] };
    world.deps.producer.check = async () => { await Promise.resolve(); throw new AdorableError('BuildFailed', 'x', { details: { errors: ['main.ts(1,1): no'] } }); };
    await world.code.produceApp({ ...operation(2), bucket: bucket(blog), revisionId: REVISION });
    await expect(world.code.checkApp({ ...operation(2), bucket: bucket(blog) })).rejects.toMatchObject({ type: 'BuildFailed', details: { errors: ['main.ts(1,1): no'] } });
    expect(world.git('for-each-ref', 'refs/adorable/run')).toBe('');
  });
});

describe('isolation (I10)', () => {
  const escapes: readonly (readonly [string, (dir: string) => void])[] = [
    ['a file beside the app', (dir) => { writeFileSync(join(dir, '..', 'other.txt'), 'x'); }],
    ['a file at the top', (dir) => { writeFileSync(join(dir, '..', '..', 'top.txt'), 'x'); }],
    ['a change to another app', (dir) => { writeFileSync(join(dir, '..', 'personal-finance', 'index.html'), 'x'); }],
    ['a change to the spec', (dir) => { writeFileSync(join(dir, '..', '..', '.adorable', 'spec.json'), '{}'); }],
    ['node_modules beside the app', (dir) => { mkdirSync(join(dir, '..', '..', 'node_modules')); writeFileSync(join(dir, '..', '..', 'node_modules', 'x.js'), 'x'); }],
    ['a .git', (dir) => { mkdirSync(join(dir, '.git')); writeFileSync(join(dir, '.git', 'config'), 'x'); }],
    ['a .GIT file below', (dir) => { mkdirSync(join(dir, 'sub')); writeFileSync(join(dir, 'sub', '.GIT'), 'x'); }],
    ['an .adorable', (dir) => { mkdirSync(join(dir, '.adorable')); }],
    ['an absolute link', (dir) => { symlinkSync('/etc/passwd', join(dir, 'passwd')); }],
    ['a link that climbs out', (dir) => { symlinkSync('../personal-finance/index.html', join(dir, 'peek')); }],
    ['a link to a directory outside, dangling', (dir) => { symlinkSync('../../nowhere', join(dir, 'nowhere')); }],
    ['a link beside the app', (dir) => { symlinkSync('/tmp', `${dir}-link`); }],
  ];

  test.each(escapes)('refuses %s and keeps nothing', async (_name, escape) => {
    await generate(world, operation(2), [finance]);
    world.declared = { ...world.declared, apps: [...world.declared.apps, blog] };
    world.produce = ({ intoDir }) => { writeFileSync(join(intoDir, 'index.html'), 'ok'); escape(intoDir); };
    await expect(world.code.produceApp({ ...operation(3), bucket: bucket(blog), revisionId: REVISION })).rejects.toMatchObject({ type: 'IsolationViolated' });
    await expect(world.code.checkApp({ ...operation(3), bucket: bucket(blog) })).rejects.toMatchObject({ type: 'PreconditionFailed' });
  });

  test('what the build itself writes is looked at too', async () => {
    world.declared = { ...world.declared, apps: [blog] };
    world.deps.producer.check = async ({ scratchDir }) => { await Promise.resolve(); writeFileSync(join(scratchDir, 'stolen.txt'), 'x'); };
    await world.code.produceApp({ ...operation(2), bucket: bucket(blog), revisionId: REVISION });
    await expect(world.code.checkApp({ ...operation(2), bucket: bucket(blog) })).rejects.toMatchObject({ type: 'IsolationViolated' });
  });

  test('links inside the app are fine', async () => {
    world.produce = ({ intoDir }) => { writeFileSync(join(intoDir, 'a.txt'), 'a'); symlinkSync('a.txt', join(intoDir, 'b.txt')); };
    await generate(world, operation(2), [blog]).catch(() => undefined);
    world.declared = { ...world.declared, apps: [blog] };
    expect(await world.code.produceApp({ ...operation(3), bucket: bucket(blog), revisionId: REVISION })).toEqual({ files: 2, canMend: false });
  });

  test.each(['../x', '/etc/passwd', 'a/../../x', '.git/config', 'src/.Git/x', '.adorable/spec.json', '', 'a\0b', 'a\\..\\x', './a'])('resolveAppFile refuses %j', async (path) => {
    await expect(resolveAppFile(world.work, path)).rejects.toMatchObject({ type: 'IsolationViolated' });
  });

  test('resolveAppFile refuses a path through a link that leads out, and takes one that does not exist yet', async () => {
    const dir = join(world.work, 'apps', 'x');
    mkdirSync(dir, { recursive: true });
    symlinkSync('/tmp', join(dir, 'out'));
    await expect(resolveAppFile(dir, 'out/a.txt')).rejects.toMatchObject({ type: 'IsolationViolated' });
    expect(await resolveAppFile(dir, 'src/new/a.txt')).toBe(join(dir, 'src', 'new', 'a.txt'));
  });

  test.each(['../blog', 'Blog', 'app', 'blog/..'])('slug %j is refused before a path is built', async (slug) => {
    const request = { ...operation(2), bucket: { ...bucket(blog), slug }, revisionId: REVISION };
    await expect(world.code.produceApp(request)).rejects.toMatchObject({ type: 'InvalidInput' });
  });
});

describe('served trees', () => {
  test('are immutable, world-readable, linked to shared dependencies, and made once by many', async () => {
    const point = await generate(world, operation(2), [blog]);
    const trees = join(world.projectsDir, PROJECT, 'trees');
    const own = (await readAppTrees(world.projectsDir, { projectId: PROJECT, tree: point.tree }))['blog'] ?? '';
    const dir = join(trees, own);
    // As git itself names a tree with that app alone.
    const holding = (name: string, tree: string) => execFileSync('git', ['-C', join(world.projectsDir, PROJECT, 'repo'), 'mktree', '--missing'], { input: `040000 tree ${tree}\t${name}\n`, encoding: 'utf8' }).trim();
    expect(own).toBe(holding('apps', holding('blog', world.git('rev-parse', `${point.tree}:apps/blog`))));
    expect(readFileSync(join(dir, 'apps/blog/index.html'), 'utf8')).toBe('<h1>blog</h1>\n');
    expect(statSync(join(dir, 'apps/blog/index.html')).mode & 0o777).toBe(0o444);
    expect(statSync(join(dir, 'apps/blog')).mode & 0o777).toBe(0o555);
    expect(lstatSync(join(dir, 'apps/blog/node_modules')).isSymbolicLink()).toBe(true);
    expect(readlinkSync(join(dir, 'apps/blog/node_modules'))).toMatch(/\/deps\/node_modules$/);
    expect(existsSync(join(dir, '.git'))).toBe(false);

    const { removeTree } = await import('../../../activities/code/remove-tree.ts');
    await removeTree(dir);
    const paths = await Promise.all([1, 2, 3].map(async () => await world.code.serveApps({ projectId: PROJECT, tree: point.tree })));
    expect(new Set(paths.flat())).toEqual(new Set([dir]));
    expect(readdirSync(join(dir, 'apps'))).toEqual(['blog']);
    expect(readdirSync(trees).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a checkout whose dependencies were installed anew is linked anew, and stays read-only', async () => {
    const point = await generate(world, operation(2), [blog]);
    const link = join((await world.code.serveApps({ projectId: PROJECT, tree: point.tree }))[0] ?? '', 'apps/blog/node_modules');
    const before = readlinkSync(link);
    world.deps.ensureDeps = () => Promise.resolve('/elsewhere/deps/node_modules');
    await world.code.serveApps({ projectId: PROJECT, tree: point.tree });
    expect([before === '/elsewhere/deps/node_modules', readlinkSync(link)]).toEqual([false, '/elsewhere/deps/node_modules']);
    expect(statSync(dirname(link)).mode & 0o777).toBe(0o555);
    expect(readdirSync(dirname(link)).filter((name) => name.startsWith('.new-'))).toEqual([]);
  });

  test('an unknown tree is Unreachable and leaves nothing', async () => {
    await expect(world.code.serveApps({ projectId: PROJECT, tree: 'd'.repeat(40) as never })).rejects.toMatchObject({ type: 'Unreachable' });
    expect(readdirSync(join(world.projectsDir, PROJECT, 'trees')).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
