/**
 * No reference leaves an app's tree (I10), whatever it is written as: named cases with their lines, and
 * generated paths in every form, which either stay inside or are refused.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { posix } from 'node:path';
import { openIsolationWorld } from './isolation-world.ts';
import type { IsolationWorld } from './isolation-world.ts';

let world: IsolationWorld;
beforeAll(async () => { world = await openIsolationWorld(); }, 180_000);
afterAll(() => { world.close(); });

const other = '../../personal-finance/src/lib/trpc.tsx';
const escaping: readonly (readonly [string, string, string, number])[] = [
  // Globs.
  ['a glob that climbs on its way', 'src/x.ts', `\nexport const x = import.meta.glob('./*/../../../personal-finance/**');`, 2],
  ['a glob that climbs in braces', 'src/x.ts', `export const x = import.meta.glob('./{lib,../../personal-finance}/**');`, 1],
  ['a glob with a foreign base', 'src/x.ts', `export const x = import.meta.glob('./**', { base: '../../personal-finance' });`, 1],
  ['a glob with computed options', 'src/x.ts', `const o = {}; export const x = import.meta.glob('./**', o);`, 1],
  ['a glob with a computed pattern', 'src/x.ts', `const p = './**'; export const x = import.meta.glob(p);`, 1],
  ['a glob in quotes', 'src/x.ts', `export const x = import.meta['glob']('../../*/**');`, 1],
  // Addresses.
  ['an address with percents', 'src/x.ts', `export const x = new URL('%2e%2e/%2e%2e/personal-finance/a.png', import.meta.url);`, 1],
  ['an address with backslashes', 'src/x.ts', `export const x = new URL('..\\\\..\\\\personal-finance/a.png', import.meta.url);`, 1],
  ['an address with a tab in its dots', 'src/x.ts', `export const x = new URL('.\\t./../personal-finance/a.png', import.meta.url);`, 1],
  ['an address in parentheses', 'src/x.ts', `export const x = new (URL)(('${other}'), (import.meta).url);`, 1],
  ['an address by a global', 'src/x.ts', `export const x = new globalThis.URL('${other}', import.meta.url);`, 1],
  ['a computed address', 'src/x.ts', `export const x = (a: string) => new URL(a, import.meta.url);`, 1],
  ['a worker', 'src/x.ts', `export const x = new Worker('${other}', { type: 'module' });`, 1],
  ['a worker by an address', 'src/x.ts', `\n\nexport const x = new Worker(new URL('${other}', import.meta.url));`, 3],
  ['a service worker', 'src/x.ts', `void navigator.serviceWorker.register('../../../x.js');`, 1],
  ['a worker’s scripts', 'src/x.ts', `declare const importScripts: (s: string) => void; importScripts('${other}');`, 1],
  // Imports.
  ['an import from the web', 'src/x.ts', `import 'https://example.com/x.js';`, 1],
  ['an import from the web without a scheme', 'src/x.ts', `import '//example.com/x.js';`, 1],
  ['an import of text', 'src/x.ts', `import 'data:text/javascript,1';`, 1],
  ['an import of a file address', 'src/x.ts', `import 'file:///etc/hostname';`, 1],
  ['a template import', 'src/x.ts', 'export const x = (a: string) => import(`./lib/${a}.ts`);', 1],
  ['a name of package.json that is not there', 'src/x.ts', `import '#internal';`, 1],
  ['code in a file of another kind', 'src/x.ts', `import './code.foo';`, 1],
  ['a resolved reference', 'src/x.ts', `export const x = import.meta.resolve('${other}');`, 1],
  ['a require behind parentheses', 'src/x.ts', `declare const require: any; (require as any)('${other}');`, 1],
  ['a module that is extended', 'src/x.ts', `export {};\ndeclare module '${other}' { export const y: 1 }`, 2],
  ['a reference with more attributes', 'src/x.ts', `/// <reference resolution-mode="import" types="${other}" />\nexport {};`, 1],
  ['a type of JSDoc', 'src/x.js', `/** @type {import('${other}').X} */\nexport let x;`, 1],
  ['an import of JSDoc', 'src/x.js', `/**\n * @import { X } from "${other}"\n */\nexport let x;`, 2],
  ['a JSX runtime', 'src/x.tsx', `/** @jsxImportSource ../../personal-finance */\nexport const x = <p />;`, 1],
  ['JSX in a .js file', 'src/x.js', `import '${other}';\nexport const x = <p />;`, 1],
  ['code that nobody can read', 'src/x.ts', `import '${other}';\n}}}`, 2],
  ['a style that needs a preprocessor', 'src/x.scss', `@use '${other}';`, 1],
  // Configuration.
  ['a tsconfig by another name', 'base.json', `{ "compilerOptions": { "paths": { "~/*": ["../personal-finance/*"] } } }`, 1],
  ['types of a tsconfig', 'tsconfig.x.json', `{ "compilerOptions": { "types": ["../personal-finance/x"] } }`, 1],
  ['a JSX runtime of a tsconfig', 'tsconfig.x.json', `{ "compilerOptions": {\n"jsxImportSource": "../../personal-finance" } }`, 2],
  ['a tsconfig that extends no .json', 'tsconfig.x.json', `{ "extends": "./base.txt" }`, 1],
  ['imports of package.json', 'sub/package.json', `{ "imports": {\n"#x": { "node": "../../personal-finance/x", "default": "./ok.js" } } }`, 2],
  ['the browser field', 'sub/package.json', `{ "browser": { "./a.js": "../../personal-finance/a.js" } }`, 1],
  ['JSON that is none', 'src/x.json', `{ "a": `, 1],
  // Styles.
  ['a url with escapes', 'src/x.css', `a { background: url(\\2e\\2e/\\2e\\2e/personal-finance/a.png) }`, 1],
  ['a url with percents', 'src/x.css', `a { background: url("%2e%2e/%2e%2e/personal-finance/a.png") }`, 1],
  ['a url spelled with an escape', 'src/x.css', `a { background: u\\72l(../../personal-finance/a.png) }`, 1],
  ['a url in a custom property', 'src/x.css', `:root {\n  --x: url(../../personal-finance/a.png);\n}`, 2],
  ['a string of image-set', 'src/x.css', `a { background: image-set("../../personal-finance/a.png" 1x) }`, 1],
  ['a url behind a broken rule', 'src/x.css', `a { }}} b { background: url(../../personal-finance/a.png) }`, 1],
  ['a composed class', 'src/x.module.css', `.a {\n  composes: b from "../../personal-finance/src/style.css";\n}`, 2],
  ['a value of another sheet', 'src/x.module.css', `@value p from "../../personal-finance/src/style.css";`, 1],
  ['an import of ICSS', 'src/x.module.css', `:import("../../personal-finance/src/style.css") { a: b }`, 1],
  ['an import in capitals and a comment', 'src/x.css', `@IMPORT/**/"../../personal-finance/src/style.css";`, 1],
  ['an import by url', 'src/x.css', `@import url( '../../personal-finance/src/style.css' ) layer(a);`, 1],
  ['an import of an unknown package', 'src/x.css', `@import 'unknown-package/x.css';`, 1],
  ['an address of the bundler', 'src/x.css', `a { background: url(/@fs/etc/hostname) }`, 1],
  // Pages.
  ['an attribute behind a slash', 'x.html', `<img/src="../personal-finance/a.png">`, 1],
  ['an attribute behind a quote', 'x.html', `<img alt="x"src=../personal-finance/a.png>`, 1],
  ['character references', 'x.html', `<p>\n<img src="&#46;&#x2e;&sol;personal-finance/a.png">`, 2],
  ['a set of sources', 'x.html', `<img srcset="/a.png 1x, ../personal-finance/a.png 2x">`, 1],
  ['an inline style', 'x.html', `<p style="background: url(../personal-finance/a.png)">`, 1],
  ['a style element', 'x.html', `<style>\na { background: url(../personal-finance/a.png) }</style>`, 2],
  ['an import map', 'x.html', `<script type="importmap">{ "imports": { "x": "../personal-finance/x.js" } }</script>`, 1],
  ['a base', 'x.html', `<base href="../personal-finance/">`, 1],
  ['an inline script in capitals', 'x.html', `<SCRIPT TYPE=module>\nimport '../personal-finance/src/lib/trpc.tsx'</SCRIPT>`, 2],
  ['a script from the web', 'x.html', `<script src="https://example.com/x.js"></script>`, 1],
  ['a page in an attribute', 'x.html', `<iframe srcdoc="<img src='../personal-finance/a.png'>">`, 1],
  ['a page by another ending', 'x.HTM', `<img src="../personal-finance/a.png">`, 1],
  ['a drawing', 'src/x.svg', `<svg><image href="../../personal-finance/a.png"/></svg>`, 1],
  ['a comment that ends early', 'x.html', `<!--><img src="../personal-finance/a.png">-->`, 1],
  ['a tag in a drawing’s style', 'x.html', `<svg><style><img src="../personal-finance/a.png"></style></svg>`, 1],
  ['a tag behind a comment that is none', 'x.html', `<svg><![CDATA[<!--]]></svg>\n<img src="../personal-finance/a.png">`, 2],
  ['a style behind a comment that is none', 'x.html', `<?x <!-- >\n<svg></svg><style>a { background: url(../personal-finance/a.png) }</style>`, 2],
  // Server code.
  ['fs: a relative path', 'server/x.ts', `import { readFileSync } from 'node:fs';\nexport const x = readFileSync('../personal-finance/a.png');`, 2],
  ['fs: an absolute path', 'server/x.ts', `import fs from 'fs';\nexport const x = fs.readFileSync('/etc/hostname');`, 2],
  ['fs: promises', 'server/x.ts', `import { promises as p } from 'fs';\nexport const x = p.readFile('/etc/hostname');`, 2],
  ['fs: a namespace', 'server/x.ts', `import * as all from 'fs/promises';\nexport const x = all.default.readFile('/etc/hostname');`, 2],
  ['fs: taken apart', 'server/x.ts', `import fs from 'fs';\nconst { promises: { readFile: no }, readFileSync: read } = fs;\nexport const x = read('/etc/hostname');`, 3],
  ['fs: imported when needed', 'server/x.ts', `export const x = async () => (await import('node:fs')).readFileSync('/etc/hostname');`, 1],
  ['fs: under another name', 'server/x.ts', `import fs from 'fs';\nconst open = fs.openSync;\nopen('/etc/hostname', 'r');`, 3],
  ['fs: a joined path', 'server/x.ts', `import { join } from 'node:path';\nexport const x = join(import.meta.dirname, '..', '..', 'personal-finance');`, 2],
  ['fs: from the file’s address', 'server/x.ts', `import { dirname, resolve } from 'path';\nimport { fileURLToPath } from 'url';\nconst here = dirname(fileURLToPath(import.meta.url));\nexport const x = resolve(here, '../../personal-finance');`, 4],
  ['fs: from where it runs', 'server/x.ts', `import { resolve } from 'path';\nexport const x = resolve('..');`, 2],
  ['fs: joined by hand', 'server/x.ts', `import fs from 'fs';\nconst up = '/..';\nfs.readFileSync(import.meta.dirname + up + up + '/personal-finance/' + process.env['X']);`, 3],
  ['fs: joined under another name', 'server/x.ts', `import { join as j } from 'node:path/posix';\nexport const x = j(import.meta.dirname, '..', '..');`, 2],
  ['fs: joined by a module that is loaded when needed', 'server/x.ts', `const { default: { resolve: to } } = await import('path');\nexport const x = to('..');`, 2],
  ['fs: an address', 'server/x.ts', `import fs from 'fs';\nfs.readFileSync(new URL('file:///etc/hostname'));`, 2],
  ['fs: an absolute address', 'server/x.ts', `import fs from 'fs';\nfs.readFileSync(new URL('//localhost/etc/hostname', import.meta.url));`, 2],
  ['fs: the target of a copy', 'server/x.ts', `import { cpSync } from 'fs';\ncpSync('server/c.ts', '../personal-finance/c.ts');`, 2],
  ['a program', 'server/x.ts', `import { execFile } from 'node:child_process';\nexport { execFile };`, 1],
  ['a loader of one’s own', 'server/x.ts', `import { createRequire } from 'module';\nexport const x = createRequire(import.meta.url);`, 1],
  ['a built-in by name', 'server/x.ts', `export const x = process.getBuiltinModule('fs');`, 1],
  ['another directory', 'server/x.ts', `process.chdir('..');`, 1],
  ['code from text', 'server/x.ts', `export const x = eval('1');`, 1],
  ['code from text behind a comma', 'server/x.ts', `export const x = (0, globalThis.eval)('1');`, 1],
  ['a function from another', 'server/x.ts', `export const x = (() => 1).constructor('return 1');`, 1],
  ['a function from text', 'server/x.ts', `export const x = new Function('return 1');`, 1],
];

describe('what leaves the tree is refused with its file and line', () => {
  test.each(escaping)('%s', async (_, path, text, line) => {
    const findings = await world.check({ [path]: text, ...(text.includes('code.foo') ? { 'src/code.foo': '1' } : {}) });
    expect(findings[0]).toMatchObject({ file: `apps/blog/${path}`, line, kind: expect.stringMatching(/^(?:isolation|build)$/) });
  });
});

describe('what stays inside is not', () => {
  test.each([
    ['imports', 'src/x.tsx', `import { a } from './a';\nimport { b } from '/src/lib/b.ts';\nimport { useState } from 'react';\nimport logo from './logo.png';\nimport raw from './a.ts?raw';\nimport type { c } from '../server/c.ts';\nexport const x = () => import('./lib/b.ts');\nexport { a, b, useState, logo, raw };\nexport type C = typeof c;`],
    ['globs and addresses', 'src/x.ts', `export const x = [import.meta.glob('./lib/*.ts', { eager: true }), import.meta.glob(['/src/**/*.ts', '!./lib/**']), new URL('./logo.png', import.meta.url), new URL('/trpc', location.href)];`],
    ['declarations', 'src/x.d.ts', `declare module '*.svg' { const x: string; export default x }\ndeclare module 'react' { interface X { y: 1 } }`],
    ['styles', 'src/x.css', `@import './y.css'; @import 'y.css'; @import url(https://fonts.example.com/x.css); @font-face { src: url(./logo.png) } a { content: "a: b"; background: url("data:image/png;base64,AA=="), url(/src/logo.png), url(#x), url(https://example.com/x.png) }`],
    ['pages', 'x.html', `<!doctype html><title>../a</title><a href="#top" title="../x">x</a><a href="https://example.com">y</a><img src="/src/logo.png" srcset="data:image/png;base64,A,B"><link rel="icon" href="./src/logo.png"><script type="application/json">{"a": "../../x"}</script><a href="mailto:a@b.c">m</a>`],
    ['configuration', 'tsconfig.x.json', `{ // our own\n "extends": "./tsconfig.y.json", "compilerOptions": { "baseUrl": ".", "types": ["node"], "paths": { "~/*": ["./src/*"] } }, "include": ["src", "server/**/*.ts"], }`],
    ['server code', 'server/x.ts', `import { readFileSync } from 'node:fs';\nimport { join } from 'node:path';\nconst here = import.meta.dirname;\nexport const x = [readFileSync(join(here, '..', 'src', 'a.ts'), 'utf8'), readFileSync('migrations/1.sql'), ['a', '..'].join('/'), new Promise((resolve) => { resolve('/done'); }), new Map([['join', 1]]), readFileSync(new URL('./c.ts', import.meta.url)), readFileSync(process.env['X'] ?? '')];`],
  ])('%s', async (_, path, text) => {
    expect(await world.check({ 'src/y.css': '', 'tsconfig.y.json': '{}', [path]: text })).toEqual([]);
  });
});

/** Far below the root, so that a path which climbs out of the tree does not come down into it again. */
const APP = '/1/2/3/4/5/6/7/8/apps/blog';

/** Where a path leads from a file of the app, said independently of the check. */
function staysInside(from: string, path: string, root: 'file' | 'app'): boolean {
  const plain = decodeURIComponent(path).replaceAll('\\', '/');
  const joined = plain.startsWith('/') && root === 'app' ? posix.join(APP, plain) : posix.resolve(`${APP}/${posix.dirname(from)}`, plain);
  return joined === APP || joined.startsWith(`${APP}/`);
}

const segment = fc.constantFrom('..', '..', '..', '.', 'src', 'lib', 'apps', 'blog', 'blog-2', 'personal-finance', 'a.ts', 'trpc.tsx', 'logo.png', '...', '..a', 'a..');
const relativePath = fc.tuple(fc.constantFrom('./', '../', '../../'), fc.array(segment, { maxLength: 6 })).map(([start, rest]) => `${start}${rest.join('/')}`.replace(/\/+$/, '/a.ts'));
const percents = (path: string): string => path.replace(/\./g, '%2e');
const turned = (path: string): string => path.replaceAll('/', '\\\\');

interface Form {
  readonly file: string;
  readonly text: (path: string) => string;
  /** How the path may be disguised in this form. */
  readonly spell?: readonly ((path: string) => string)[];
  /** What a disguised path is to whoever reads it. */
  readonly read?: (path: string) => string;
}

const forms: Readonly<Record<string, Form>> = {
  'import': { file: 'src/x.ts', text: (path) => `import '${path}';` },
  'export from': { file: 'src/x.ts', text: (path) => `export * from "${path}";` },
  'import type': { file: 'src/x.ts', text: (path) => `export type X = typeof import('${path}');` },
  'dynamic import': { file: 'src/x.ts', text: (path) => `export const x = () => import(\`${path}\`);` },
  'require': { file: 'server/x.ts', text: (path) => `declare const require: any; require('${path}');` },
  'address': { file: 'src/x.ts', text: (path) => `export const x = new URL('${path}', import.meta.url);`, spell: [percents, turned], read: (path) => path.replaceAll('\\\\', '\\') },
  'glob': { file: 'src/x.ts', text: (path) => `export const x = import.meta.glob('${path}');` },
  'glob of all below': { file: 'src/x.ts', text: (path) => `export const x = import.meta.glob('${path}/*');` },
  'url': { file: 'src/x.css', text: (path) => `a { background: url('${path}') }`, spell: [percents] },
  'bare url': { file: 'src/x.css', text: (path) => `a { background: url(${path}) }`, spell: [percents] },
  'CSS import': { file: 'src/x.css', text: (path) => `@import '${path}';`, spell: [percents] },
  'CSS import by url': { file: 'src/x.css', text: (path) => `@import url(${path});`, spell: [percents] },
  'source': { file: 'x.html', text: (path) => `<img src="${path}">`, spell: [percents, (path) => path.replaceAll('.', '&#46;')], read: (path) => path.replaceAll('&#46;', '.') },
  'page script': { file: 'x.html', text: (path) => `<script type="module">import '${path}'</script>` },
  'tsconfig path': { file: 'tsconfig.x.json', text: (path) => JSON.stringify({ compilerOptions: { paths: { x: [path] } } }) },
  'package import': { file: 'package.json', text: (path) => JSON.stringify({ imports: { '#x': path } }) },
  'reference': { file: 'src/x.ts', text: (path) => `/// <reference path="${path}" />\nexport {};` },
  'server address': { file: 'server/x.ts', text: (path) => `import { readFileSync } from 'fs'; readFileSync(new URL('${path}', import.meta.url));`, spell: [percents] },
  'server join': { file: 'server/x.ts', text: (path) => `import { join } from 'path'; export const x = join(import.meta.dirname, '${path}');` },
};

describe('generated paths either stay inside or are refused', () => {
  test.each(Object.keys(forms))('%s', async (name) => {
    const form = forms[name];
    if (form === undefined) throw new Error(name);
    const spellings = [(path: string) => path, ...(form.spell ?? [])];
    await fc.assert(fc.asyncProperty(relativePath, fc.nat(spellings.length - 1), async (path, which) => {
      const written = spellings[which]?.(path) ?? path;
      const findings = (await world.check({ [form.file]: form.text(written) })).filter(({ kind }) => kind !== 'build');
      const inside = staysInside(form.file, form.read?.(written) ?? written, 'file');
      expect({ written, refused: findings.map(({ file, line, kind }) => `${kind} ${file}:${String(line)}`) })
        .toEqual({ written, refused: inside ? [] : [`isolation apps/blog/${form.file}:1`] });
    }), { numRuns: 60 });
  });

  test('absolute paths: from the app’s root in pages and styles, from the machine’s in server code', async () => {
    await fc.assert(fc.asyncProperty(fc.array(segment, { minLength: 1, maxLength: 5 }), async (parts) => {
      const path = `/${parts.join('/')}`;
      const findings = await world.check({
        'x.html': `<img src="${path}">`, 'src/x.css': `a { background: url(${path}) }`, 'server/x.ts': `import { readFileSync } from 'fs'; readFileSync('${path}');`,
      });
      const outside = staysInside('x.html', path, 'app') ? [] : ['apps/blog/src/x.css', 'apps/blog/x.html'];
      expect(findings.map(({ file }) => file).sort()).toEqual([...outside, 'apps/blog/server/x.ts'].sort());
    }), { numRuns: 60 });
  });
});
