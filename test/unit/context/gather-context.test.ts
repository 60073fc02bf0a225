/** Seed costume 1: what a producer is given of an app that is not its own, from texts to context. */
import { describe, expect, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseModules } from '../../../activities/context/adapters/typescript.ts';
import { buildIndex } from '../../../activities/context/code-index.ts';
import { BOUNDS, gatherContext } from '../../../activities/context/gather-context.ts';
import type { ProducerContext } from '../../../activities/context/gather-context.ts';

const FINANCE = { id: 'a_finance00001', slug: 'personal-finance', dir: 'personal-finance' };
const BLOG = { id: 'a_blog00000001', slug: 'blog', dir: 'blog' };
const SOURCES: Readonly<Record<string, string>> = {
  'apps/personal-finance/src/lib/trpc.tsx': "import { z } from 'zod';\nexport function TRPCProvider() { return z; }\n",
  'apps/personal-finance/src/main.tsx': "import { TRPCProvider } from './lib/trpc.tsx';\nTRPCProvider();\n",
  'apps/blog/src/provider.tsx': '/** export function NotThere() */\nexport function TRPCProvider() {}\nconst text = `export const alsoNot = 1`;\n',
  'apps/blog/src/main.tsx': "import './styles.css';\nimport { TRPCProvider as P } from './provider.js';\nP();\n",
  'apps/blog/src/styles.css': '.provider { color: red; }\n',
  'apps/blog-2/src/main.tsx': 'export const stray = 1;\n',
  'apps/gone/src/main.tsx': 'export const stray = 1;\n',
  'apps/blog/../personal-finance/src/x.ts': 'export const stray = 1;\n',
  '.adorable/spec.json': '{}',
};

interface Project {
  readonly cacheDir: string;
  readonly parsed: string[];
  context(sources?: Readonly<Record<string, string>>, targetAppId?: string): Promise<ProducerContext>;
}

async function withProject(work: (project: Project) => Promise<void>): Promise<void> {
  const cacheDir = mkdtempSync(join(tmpdir(), 'adorable-index-'));
  const parsed: string[] = [];
  try {
    await work({
      cacheDir,
      parsed,
      context: async (sources = SOURCES, targetAppId = BLOG.id) => {
        const oidOf = (text: string): string => createHash('sha1').update(text).digest('hex');
        const bytes = new Map(Object.values(sources).map((text) => [oidOf(text), Buffer.from(text)]));
        const index = await buildIndex({
          cacheDir,
          blobs: Object.entries(sources).map(([path, text]) => ({ path, oid: oidOf(text), size: Buffer.byteLength(text) })),
          apps: [FINANCE, BLOG],
          targetAppId,
          readBlobs: async (oids) => await Promise.resolve(new Map(oids.map((oid) => [oid, bytes.get(oid) ?? Buffer.alloc(0)]))),
          parseModules: async (files) => { parsed.push(...files.values()); return await parseModules(files); },
        });
        return gatherContext({ apps: [FINANCE, BLOG], index, targetAppId, readText: (oid) => bytes.get(oid)?.toString('utf8') });
      },
    });
  } finally {
    rmSync(cacheDir, { recursive: true, force: true });
  }
}

describe('costume 1', () => {
  test('with one symbol in two apps, the producer of one is never given the other’s text', async () => {
    await withProject(async ({ context }) => {
      const blog = await context();
      expect(blog.files.map(({ path }) => path).sort()).toEqual(['apps/blog/src/main.tsx', 'apps/blog/src/provider.tsx', 'apps/blog/src/styles.css']);
      expect(JSON.stringify([blog.files, blog.search('z TRPCProvider zod return')])).not.toContain('return z');
      expect(blog.symbols.filter(({ name }) => name === 'TRPCProvider')).toEqual([
        { name: 'TRPCProvider', kind: 'function', path: 'apps/blog/src/provider.tsx', line: 2, appId: BLOG.id },
        { name: 'TRPCProvider', kind: 'function', path: 'apps/personal-finance/src/lib/trpc.tsx', line: 2, appId: FINANCE.id },
      ]);
    });
  });

  test('the graph stays whole, names apps and resolves to files; strangers are in nothing', async () => {
    await withProject(async ({ context }) => {
      const blog = await context();
      expect(blog.dependencies).toEqual([
        { appId: BLOG.id, from: 'apps/blog/src/main.tsx', to: 'apps/blog/src/styles.css', names: [] },
        { appId: BLOG.id, from: 'apps/blog/src/main.tsx', to: 'apps/blog/src/provider.tsx', names: ['TRPCProvider'] },
        { appId: FINANCE.id, from: 'apps/personal-finance/src/lib/trpc.tsx', to: 'zod', names: ['z'] },
        { appId: FINANCE.id, from: 'apps/personal-finance/src/main.tsx', to: 'apps/personal-finance/src/lib/trpc.tsx', names: ['TRPCProvider'] },
      ]);
      expect(JSON.stringify([blog.symbols, blog.dependencies, blog.files, blog.search('stray')])).not.toContain('stray');
    });
  });

  test('text in comments and templates declares nothing', async () => {
    await withProject(async ({ context }) => {
      expect((await context()).symbols.map(({ name }) => name)).toEqual(['TRPCProvider', 'TRPCProvider']);
    });
  });

  test.each([['a_unknown00001'], ['$NEW:blog'], ['']])('an unknown target (%s) gets no context, least of all the primary’s', async (targetAppId) => {
    await withProject(async ({ context }) => {
      await expect(context(SOURCES, targetAppId)).rejects.toMatchObject({ type: 'UnresolvedTarget' });
    });
  });
});

describe('search', () => {
  test('finds parts of names in every app, and shows lines of the target alone', async () => {
    await withProject(async ({ context }) => {
      const hits = (await context()).search('provider');
      expect(new Set(hits.map(({ appId }) => appId))).toEqual(new Set([BLOG.id, FINANCE.id]));
      for (const { appId, lines } of hits) expect(lines.length > 0).toBe(appId === BLOG.id);
      expect(hits.find(({ path }) => path.endsWith('styles.css'))?.lines).toEqual([{ line: 1, text: '.provider { color: red; }' }]);
    });
  });
});

describe('the index', () => {
  test('parses a blob once, whatever else changes, and again only when the cache was deleted or is not readable', async () => {
    await withProject(async ({ context, parsed, cacheDir }) => {
      const first = await context();
      expect(parsed).toHaveLength(4);
      const again = await context(SOURCES, FINANCE.id);
      expect(parsed).toHaveLength(4);
      expect(new Set(again.symbols.map(({ path }) => path))).toEqual(new Set(first.symbols.map(({ path }) => path)));

      const edited = await context({ ...SOURCES, 'apps/blog/src/main.tsx': 'export const edited = 1;\n', 'apps/blog/src/moved.tsx': SOURCES['apps/blog/src/provider.tsx'] ?? '' });
      expect(parsed.slice(4)).toEqual(['export const edited = 1;\n']);
      expect(edited.symbols.map(({ path }) => path)).toContain('apps/blog/src/moved.tsx');

      const [name] = readdirSync(cacheDir);
      writeFileSync(join(cacheDir, name ?? ''), '[["x", {}], 7');
      await context();
      expect(parsed.slice(5)).toHaveLength(4);
      rmSync(cacheDir, { recursive: true });
      expect(JSON.stringify(await context())).toBe(JSON.stringify(first));
      expect(JSON.parse(readFileSync(join(cacheDir, name ?? ''), 'utf8'))).toHaveLength(5);
    });
  });

  test('keeps the target’s own files where a sibling has more than fit', async () => {
    await withProject(async ({ context }) => {
      const many = Object.fromEntries(Array.from({ length: 6_000 }, (_, at) => [`apps/personal-finance/${String(at)}.md`, `x${String(at)}`]));
      const blog = await context({ ...many, 'apps/personal-finance-2/src/last.ts': '', 'apps/blog/src/last.ts': 'export const last = 1;\n' });
      expect(blog.files).toEqual([{ path: 'apps/blog/src/last.ts', text: 'export const last = 1;\n' }]);
      expect(blog.omitted.files).toBe(1_001);
    });
  });

  test('has a bound: what is left out is counted, the target’s own comes first', async () => {
    await withProject(async ({ context }) => {
      const large = 'x'.repeat(BOUNDS.fileBytes + 1);
      const many = Array.from({ length: 60 }, (_, at) => [`apps/blog/src/b${String(at).padStart(2, '0')}.md`, `${'y'.repeat(50_000)}${String(at)}`] as const);
      const symbols = Array.from({ length: 6_000 }, (_, at) => `export const f${String(at)} = ${String(at)};`).join('\n');
      const blog = await context({ ...SOURCES, ...Object.fromEntries(many), 'apps/blog/src/large.md': large, 'apps/personal-finance/src/many.ts': symbols });
      expect(blog.files.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(BOUNDS.filesBytes);
      expect(blog.files.length + blog.omitted.files).toBe(64);
      expect(blog.symbols).toHaveLength(BOUNDS.symbols);
      expect(blog.symbols[0]?.appId).toBe(BLOG.id);
      expect(blog.omitted.symbols).toBe(6_002 - BOUNDS.symbols);
    });
  });
});

test('the parser: every form of declaration and import, broken code, no file system', async () => {
  const facts = await parseModules(new Map([
    ['a.tsx', [
      "import d, { one as uno, type Two } from './x.ts';", "import * as all from 'pkg';", "import 'effect.css';", 'export const [a, { b, ...c }] = [1, {}] as never, e = <p/>;',
      'function inner() {}', 'export { inner as outer, e };', "export * from './y';", "export * as ns from './z';", 'export default class {}', 'export interface I {}', 'export type T = 1;',
      "const lazy = import('./lazy');", 'enum E { A }', "export type Q = import('./q').Q;",
    ].join('\n')],
    ['b.ts', '}}} export const broken = ;\nexport const after = 1'],
    ['c.js', "const fs = require('fs');"],
    ['d.ts', 'import x from "/etc/passwd"; /// <reference path="/etc/hosts" />'],
  ]));
  const found = facts.get('a.tsx');
  expect(found?.imports).toEqual([
    { specifier: './x.ts', names: ['default', 'one', 'Two'], line: 1 },
    { specifier: 'pkg', names: ['*'], line: 2 },
    { specifier: 'effect.css', names: [], line: 3 },
    { specifier: './y', names: ['*'], line: 7 },
    { specifier: './z', names: ['*'], line: 8 },
    { specifier: './lazy', names: ['*'], line: 12 },
    { specifier: './q', names: ['*'], line: 14 },
  ]);
  expect(found?.symbols.map(({ name, kind, line, exported }) => `${exported ? '+' : '-'}${kind} ${name}:${String(line)}`)).toEqual([
    '+variable a:4', '+variable b:4', '+variable c:4', '+variable e:4', '+function inner:5', '+export outer:6', '+export e:6', '+export ns:8',
    '+class default:9', '+interface I:10', '+type T:11', '-variable lazy:12', '-enum E:13', '+type Q:14',
  ]);
  expect(facts.get('b.ts')?.symbols.map(({ name }) => name)).toContain('after');
  expect(facts.get('c.js')?.imports).toEqual([{ specifier: 'fs', names: ['*'], line: 1 }]);
  expect(facts.get('d.ts')).toEqual({ symbols: [], imports: [{ specifier: '/etc/passwd', names: ['default'], line: 1 }] });
});
