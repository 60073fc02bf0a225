import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createEnsureDeps } from '../../../activities/producer/deps.ts';
import { readBlueprints } from '../../../activities/producer/blueprints.ts';
import { createProducer } from '../../../activities/producer/producer.ts';
import { fillSlot } from '../../../local/engines/slot.ts';
import { cacheDir } from '../../../local/paths.ts';
import { obtain } from '../../../local/engines/obtain.ts';
import { containChecks } from '../../support/containment.ts';

const root = new URL('../../..', import.meta.url).pathname;
const blueprintsDir = join(root, 'blueprints');
const lockfile = join(blueprintsDir, 'blog', 'template', 'package-lock.json');
const scratch = mkdtempSync(join(tmpdir(), 'adorable-producer-'));
const isRoot = process.getuid?.() === 0;
const runner = join(scratch, 'runners', 'check', 'main.mjs');
const producer = createProducer({
  blueprintsDir,
  checkRunner: runner,
  // From the engine cache: the checking uid cannot reach a checkout that only its owner can enter.
  node: await obtain('node', () => undefined),
  // As the worker checks, so that every outcome below is one of contained checks where this machine has them.
  contain: await containChecks(),
  checkUid: async () => (isRoot ? 65_534 : undefined),
});
const ensureDeps = createEnsureDeps({
  depsDir: join(scratch, 'deps'),
  cacheDir: cacheDir(),
  prebundler: join(root, 'local', 'node', 'runners', 'app', 'prebundle.mjs'),
  fillSlot: async (slot, build) => await fillSlot(slot, () => undefined, build),
});
let deps = '';

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  cpSync(join(root, 'local', 'node', 'runners', 'check'), dirname(runner), { recursive: true });
  deps = await ensureDeps(lockfile);
}, 180_000);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

async function newTree(name: string, blueprint = 'blog', slug = 'blog'): Promise<string> {
  const dir = join(scratch, name);
  await producer.produce({ feature: { id: slug, blueprint }, appSlug: slug, appName: 'A "Blog" <b>\'s', intoDir: join(dir, 'apps', slug) });
  symlinkSync(deps, join(dir, 'apps', slug, 'node_modules'));
  return dir;
}

test('dependencies: one shared directory, readable by all, writable by none, installed once', async () => {
  const [again, third] = await Promise.all([ensureDeps(lockfile), ensureDeps(join(blueprintsDir, 'task-board', 'template', 'package-lock.json'))]);
  expect([again, third]).toEqual([deps, deps]);
  expect(statSync(join(deps, 'vite', 'package.json')).mode & 0o777).toBe(0o444);
  expect(statSync(join(deps, '..', 'prebundled', '_metadata.json')).mode & 0o777).toBe(0o444);
  expect(readdirSync(join(scratch, 'deps')).filter((entry) => !entry.startsWith('.'))).toHaveLength(1);
});

test('what the packages of a lockfile run while they are bundled is contained, and nobody owns the result', async () => {
  const prebundler = join(scratch, 'runners', 'app', 'prebundle.mjs');
  cpSync(join(root, 'local', 'node', 'runners', 'app'), dirname(prebundler), { recursive: true });
  const contain = await containChecks();
  const commands: (readonly string[])[] = [];
  const node = await obtain('node', () => undefined);
  const into = (depsDir: string) => createEnsureDeps({
    node, depsDir: join(scratch, depsDir), cacheDir: join(scratch, 'contained-cache'), prebundler, uid: isRoot ? 199_998 : undefined,
    contain: contain && ((reach, command) => { commands.push(contain(reach, command)); return commands.at(-1) ?? []; }),
    fillSlot: async (slot, build) => await fillSlot(slot, () => undefined, build),
  });
  const installed = await into('contained-deps')(lockfile);
  const bundled = join(installed, '..', 'prebundled');
  expect(readdirSync(bundled)).toContain('_metadata.json');
  expect(readdirSync(bundled, { recursive: true }).filter((name) => statSync(join(bundled, String(name))).uid !== process.getuid?.())).toEqual([]);
  // Of all that it could write there is only the draft, and no port at all.
  for (const command of commands) {
    const granted = command.slice(0, command.indexOf('--')).flatMap((flag, at, all) => (flag === '--rw' || flag === '--connect' || flag === '--bind' ? [all[at + 1]] : []));
    expect(granted).toEqual(['/dev/null', expect.stringContaining('.draft')]);
  }
  expect(commands).toHaveLength(contain === undefined ? 0 : 1);

  // What a data directory did to its files, it did to the cache's: the next one gets them read-only again.
  const file = join('vite', 'package.json');
  chmodSync(join(installed, file), 0o644);
  expect(statSync(join(await into('other-deps')(lockfile), file)).mode & 0o777).toBe(0o444);
}, 180_000);

test('a lockfile that reaches outside the registry is refused', async () => {
  const bad = join(scratch, 'bad-lock.json');
  const parsed = JSON.parse(readFileSync(lockfile, 'utf8')) as { packages: Record<string, unknown> };
  writeFileSync(bad, JSON.stringify({ ...parsed, packages: { ...parsed.packages, 'node_modules/x': { resolved: 'file:../personal-finance', link: true } } }));
  await expect(ensureDeps(bad)).rejects.toMatchObject({ type: 'IsolationViolated' });
});

test('producing twice writes the same bytes, and the display name is escaped', async () => {
  const [one, two] = [await newTree('one'), await newTree('two')];
  const diff = spawnSync('diff', ['-r', '--exclude=node_modules', join(one, 'apps'), join(two, 'apps')]);
  expect(diff.status).toBe(0);
  const html = readFileSync(join(one, 'apps/blog/index.html'), 'utf8');
  expect(html).toContain('<title>A &#34;Blog&#34; &#60;b&#62;&#39;s</title>');
  expect((await producer.check({ scratchDir: one, slug: 'blog' })).ok).toBe(true);
}, 60_000);

test('it writes only into apps/<slug>, and through no link', async () => {
  const elsewhere = join(scratch, 'elsewhere');
  mkdirSync(join(scratch, 'linked', 'apps', 'blog'), { recursive: true });
  mkdirSync(elsewhere);
  const feature = { id: 'blog', blueprint: 'blog' };
  await expect(producer.produce({ feature, appSlug: 'blog', appName: 'B', intoDir: elsewhere })).rejects.toMatchObject({ type: 'IsolationViolated' });
  symlinkSync(elsewhere, join(scratch, 'linked', 'apps', 'blog', 'src'));
  await expect(producer.produce({ feature, appSlug: 'blog', appName: 'B', intoDir: join(scratch, 'linked', 'apps', 'blog') })).rejects.toMatchObject({ type: 'IsolationViolated' });
  expect(readdirSync(elsewhere)).toEqual([]);
  await expect(producer.produce({ feature: { id: 'x', blueprint: '../x' }, appSlug: 'blog', appName: 'B', intoDir: join(scratch, 'linked', 'apps', 'blog') })).rejects.toMatchObject({ type: 'NoBlueprint' });
});

test.each((await readBlueprints(blueprintsDir)).map(({ id, slug, changes }) => [id, slug, changes.map((change) => change.id)] as const))('%s passes its own checks, plain and with all of its changes', async (blueprint, slug, changes) => {
  const dir = await newTree(`ok-${slug}`, blueprint, slug);
  expect(await producer.check({ scratchDir: dir, slug })).toMatchObject({ ok: true, errors: [] });
  for (const change of changes) await producer.produce({ feature: { id: change, blueprint, change }, appSlug: slug, appName: 'Other', intoDir: join(dir, 'apps', slug) });
  expect(await producer.check({ scratchDir: dir, slug })).toMatchObject({ ok: true, errors: [] });
}, 120_000);

describe('isolation: what leaves the tree fails with its file and line', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await newTree('hostile');
    const sibling = join(dir, 'apps', 'personal-finance', 'src', 'lib');
    mkdirSync(sibling, { recursive: true });
    writeFileSync(join(sibling, 'trpc.tsx'), 'export const TRPCProvider = 1;\n');
    writeFileSync(join(sibling, 'a.png'), '');
    mkdirSync(join(dir, 'apps', 'blog-2'), { recursive: true });
    writeFileSync(join(dir, 'apps', 'blog-2', 'x.ts'), 'export const x = 1;\n');
  });

  const other = '../../personal-finance/src/lib/trpc.tsx';
  test.each([
    ['a static import', 'src/hostile.ts', `\nimport { TRPCProvider } from '${other}';\nexport default TRPCProvider;`, 2],
    ['a type import', 'src/hostile.ts', `import type * as T from '${other}';\nexport type X = typeof T;`, 1],
    ['an import type', 'src/hostile.ts', `export type X = typeof import('${other}');`, 1],
    ['a re-export', 'src/hostile.ts', `export * from '${other}';`, 1],
    ['a dynamic import', 'src/hostile.ts', `\n\nexport const x = () => import('${other}');`, 3],
    ['a computed import', 'src/hostile.ts', `export const x = (a: string) => import(/* @vite-ignore */ a);`, 1],
    ['a template that starts outside', 'src/hostile.ts', 'export const x = (a: string) => import(`../../personal-finance/src/${a}.ts`);', 1],
    ['a glob', 'src/hostile.ts', `export const x = import.meta.glob(['./*.ts', '../../*/src/**']);`, 1],
    ['an asset', 'src/hostile.ts', `export const x = new URL('../../personal-finance/src/lib/a.png', import.meta.url);`, 1],
    ['an absolute path', 'src/hostile.ts', `import x from '/etc/hostname?raw';\nexport default x;`, 1],
    ['an fs path', 'src/hostile.ts', `import x from '/@fs/etc/hostname?raw';\nexport default x;`, 1],
    ['a sibling whose name begins alike', 'src/hostile.ts', `export { x } from '../../blog-2/x.ts';`, 1],
    ['a workspace name', 'src/hostile.ts', `export * from '@project/personal-finance';`, 1],
    ['a triple-slash reference', 'src/hostile.ts', `/// <reference path="${other}" />\nexport {};`, 1],
    ['a require', 'src/hostile.ts', `declare const require: (s: string) => unknown;\nexport const x = require('${other}');`, 2],
    ['a CSS url', 'src/hostile.css', `a {\n  background: url(../../personal-finance/src/lib/a.png);\n}`, 2],
    ['a CSS import', 'src/hostile.css', `@import '../../personal-finance/src/x.css';`, 1],
    ['a tsconfig path', 'tsconfig.extra.json', `{ // comment\n  "compilerOptions": { "paths": { "~/*": ["../personal-finance/src/*"] } }\n}`, 2],
    ['a tsconfig extends', 'tsconfig.extra.json', `{ "extends": "../personal-finance/tsconfig.json" }`, 1],
    ['an HTML source', 'hostile.html', `<p>\n<img src="../personal-finance/src/lib/a.png">`, 2],
    ['an inline script', 'hostile.html', `<script type="module">\nimport '../personal-finance/src/lib/trpc.tsx';</script>`, 2],
    ['a file dependency', 'sub/package.json', `{\n"dependencies": { "x": "file:../../personal-finance" } }`, 2],
  ])('%s', async (_, path, text, line) => {
    const file = join(dir, 'apps', 'blog', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    try {
      const failure = await producer.check({ scratchDir: dir, slug: 'blog' }).then(() => undefined, (error: unknown) => error);
      expect(failure).toMatchObject({ type: 'IsolationViolated' });
      const { details } = failure as { details: { errors: { kind: string; file: string; line: number }[] } };
      expect(details.errors[0]).toMatchObject({ kind: 'isolation', file: `apps/blog/${path}`, line });
    } finally {
      rmSync(file);
    }
  }, 60_000);

  test('a symbolic link', async () => {
    const link = join(dir, 'apps', 'blog', 'src', 'shared');
    symlinkSync('../../personal-finance/src', link);
    await expect(producer.check({ scratchDir: dir, slug: 'blog' })).rejects.toMatchObject({ type: 'IsolationViolated' });
    rmSync(link);
  }, 60_000);

  test.each([
    ['a sibling’s file by its own name (costume 1)', 'src/hostile.ts', `import { TRPCProvider } from './lib/trpc';\nexport default TRPCProvider;`, 'type'],
    ['a type error', 'src/hostile.ts', `\nexport const x: number = 'one';`, 'type'],
  ])('%s fails the type-check', async (_, path, text, kind) => {
    writeFileSync(join(dir, 'apps', 'blog', path), text);
    const failure = await producer.check({ scratchDir: dir, slug: 'blog' }).then(() => undefined, (error: unknown) => error);
    rmSync(join(dir, 'apps', 'blog', path));
    expect(failure).toMatchObject({ type: 'BuildFailed', details: { errors: [{ kind, file: `apps/blog/${path}` }] } });
  }, 60_000);

  test('a build error, and server code in the client', async () => {
    const main = join(dir, 'apps', 'blog', 'src', 'main.tsx');
    const kept = readFileSync(main, 'utf8');
    mkdirSync(join(dir, 'apps', 'blog', 'server'));
    writeFileSync(join(dir, 'apps', 'blog', 'server', 'secret.ts'), 'export const secret = 1;\n');
    writeFileSync(main, `${kept}\nimport { secret } from '../server/secret.ts';\nconsole.log(secret);\n`);
    await expect(producer.check({ scratchDir: dir, slug: 'blog' })).rejects.toMatchObject({ type: 'BuildFailed', message: expect.stringContaining('server code') });
    writeFileSync(main, kept);
  }, 60_000);
});
