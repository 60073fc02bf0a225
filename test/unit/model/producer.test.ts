/** A model writes one feature of one app, whole or not at all, and nothing outside it (I8, I10). */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectModel } from '../../../activities/model/adapters/ai.ts';
import { createModelProducer } from '../../../activities/model/model-producer.ts';
import type { ModelProducerDeps, ModelProgress } from '../../../activities/model/model-producer.ts';
import type { ProduceRequest } from '../../../activities/code/code-deps.ts';
import { containment, requireContained } from '../../../local/containment/containment.ts';
import { AdorableError } from '../../../shared/errors.ts';
import type { OperationId } from '../../../shared/ids.ts';
import { broken, call, calls, cutOff, garbage, KEY, says, silent, startModelServer, status, tooLong } from '../../support/model-server.ts';
import type { ModelServer, Played } from '../../support/model-server.ts';

const blueprintsDir = new URL('../../../blueprints', import.meta.url).pathname;
const SECRET = 'export const price = "what the shop charges";\n';
let server: ModelServer;
let root = '';
let spent = new Map<string, number>();
let progress: ModelProgress[] = [];
let verdicts: (string | undefined)[] = [];
let checked: string[] = [];

beforeAll(async () => { server = await startModelServer(); });
afterAll(async () => { await server.close(); });
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'adorable-model-'));
  [spent, progress, verdicts, checked] = [new Map(), [], [], []];
  put('apps/blog/README.md', '# Blog\n');
  put('apps/shop/src/price.ts', SECRET);
});
afterEach(() => { rmSync(root, { recursive: true, force: true }); });

const at = (path: string): string => join(root, 'draft', path);
const text = (path: string): string => readFileSync(at(path), 'utf8');
function put(path: string, content: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
}

/** Every file with its bytes, links as links. */
const world = (): Record<string, string> => Object.fromEntries(readdirSync(root, { recursive: true, withFileTypes: true })
  .filter((entry) => !entry.isDirectory()).map((entry) => [join(entry.parentPath, entry.name).slice(root.length), entry.isFile() ? readFileSync(join(entry.parentPath, entry.name), 'utf8') : 'link']));

const request = (rest: Partial<ProduceRequest> = {}): ProduceRequest => ({
  operationId: 'op_000000000001' as OperationId,
  feature: { id: 'blog-dark', title: 'A dark mode', blueprint: 'model', change: 'blog-dark', brief: 'Dark at night.', subtasks: ['A switch'] },
  appSlug: 'blog', appName: 'Blog', appKind: 'react', intoDir: at('apps/blog'),
  context: {
    targetAppId: 'a_1', apps: [{ id: 'a_1', slug: 'blog' }, { id: 'a_2', slug: 'shop' }], dependencies: [], files: [], omitted: { files: 0, symbols: 0, dependencies: 0 },
    symbols: [{ name: 'price', kind: 'value' as never, path: 'apps/shop/src/price.ts', line: 1, appId: 'a_2' }],
    search: () => [{ appId: 'a_2', path: 'apps/shop/src/price.ts', lines: [] }],
  },
  ...rest,
});

const produce = async (rest: Partial<ProduceRequest> = {}, deps: Partial<ModelProducerDeps> = {}, callMs = server.settings.callMs) => await createModelProducer({
  model: connectModel({ ...server.settings, callMs }), limits: { tokens: 100_000 }, blueprintsDir,
  requireContained: () => undefined,
  spend: (operation, { tokens }) => { spent.set(operation, (spent.get(operation) ?? 0) + tokens); return Promise.resolve({ tokens: spent.get(operation) ?? 0, micros: 0 }); },
  check: (dir, slug) => {
    checked.push(readFileSync(join(dir, 'apps', slug, 'src/app.tsx'), 'utf8'));
    const verdict = verdicts.shift();
    return verdict === undefined ? Promise.resolve() : Promise.reject(new AdorableError('BuildFailed', 'The checks failed', { details: { errors: [{ kind: 'type', file: 'src/app.tsx', line: 3, message: verdict }] } }));
  },
  onProgress: (one) => { progress.push(one); },
  ...deps,
})(request(rest));

async function refusal(work: Promise<unknown>): Promise<AdorableError> {
  const error = await work.then(() => undefined, (caught: unknown) => caught);
  if (!(error instanceof AdorableError)) throw new Error(`no typed refusal: ${String(error)}`);
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(KEY);
  return error;
}

/** What the tools answered, as the model reads it. */
const told = (): string[] => (server.asked.at(-1)?.body.messages ?? []).filter(({ role }) => role === 'tool').map(({ content }) => (typeof content === 'string' ? content : JSON.stringify(content)));
const write = (path: string, content: string | null): Played => call('write', { path, content });

test('reads, writes, checks, mends and stops: what it wrote is there, with the kit that every app needs', async () => {
  put('apps/blog/src/old.ts', 'export {};\n');
  verdicts = ['price is not a function', undefined];
  server.play(
    calls([{ name: 'list', input: {} }, { name: 'read', input: { path: 'README.md' } }]), write('src/app.tsx', 'one'), call('check'), write('apps/blog/src/app.tsx', 'two'), write('src/old.ts', null),
    call('search', { query: 'tw' }), call('check'), says('Done.'),
  );
  const siblings = text('apps/shop/src/price.ts');
  expect(await produce()).toEqual({ files: 8 });
  expect([text('apps/blog/src/app.tsx'), text('apps/blog/README.md'), existsSync(at('apps/blog/src/old.ts'))]).toEqual(['two', '# Blog\n', false]);
  expect(text('apps/blog/index.html')).toContain('<title>Blog</title>');
  expect(JSON.parse(text('apps/blog/package-lock.json'))).toMatchObject({ lockfileVersion: 3 });
  expect(checked).toEqual(['one', 'two']);
  const answers = told();
  expect(answers[0]).toContain('src/old.ts');
  expect(answers[1]).toBe('# Blog\n');
  expect(answers[3]).toContain('src/app.tsx:3: price is not a function');
  expect(answers[6]).toBe('src/app.tsx:1: two\napps/shop/src/price.ts (another app)');
  // Nothing else moved, nothing stays beside it.
  expect(text('apps/shop/src/price.ts')).toBe(siblings);
  expect(readdirSync(root)).toEqual(['draft']);
  expect(readdirSync(at('apps'))).toEqual(['blog', 'shop']);
  // Eight answers of a hundred tokens, and a person can follow them.
  expect(spent.get('op_000000000001')).toBe(800);
  expect(progress.map(({ doing }) => doing)).toEqual(expect.arrayContaining(['list', 'read README.md', 'write src/app.tsx', 'check', 'thinks']));
  expect(progress.at(-1)).toMatchObject({ feature: 'blog-dark', answer: 8, tokens: 700 });
});

describe('what it may not do is refused, and it is told', () => {
  test.each<[string, string, Record<string, unknown>]>([
    ['a sibling by a path that climbs', 'read', { path: '../shop/src/price.ts' }],
    ['a sibling by its full path', 'read', { path: 'apps/shop/src/price.ts' }],
    ['an absolute path', 'read', { path: '/etc/passwd' }],
    ['a link to a sibling', 'read', { path: 'linked/src/price.ts' }],
    ['a file that is a link', 'read', { path: 'price.ts' }],
    ['writing to a sibling', 'write', { path: '../shop/src/price.ts', content: 'mine' }],
    ['writing outside the apps', 'write', { path: '../../evil.ts', content: 'x' }],
    ['writing through a link', 'write', { path: 'linked/evil.ts', content: 'x' }],
    ['removing a sibling\'s file', 'write', { path: '../shop/src/price.ts', content: null }],
    ['a hook for git', 'write', { path: '.git/hooks/post-commit', content: 'x' }],
    ['the project\'s spec', 'write', { path: '.adorable/spec.json', content: '{}' }],
    ['an instruction for git', 'write', { path: '.gitattributes', content: '* filter=x' }],
    ['another registry', 'write', { path: '.npmrc', content: 'registry=http://x' }],
    ['packages of its own', 'write', { path: 'package.json', content: '{}' }],
    ['packages in other letters', 'write', { path: 'Package-Lock.json', content: '{}' }],
    ['a NUL in a name', 'write', { path: 'a\0b', content: 'x' }],
    ['a NUL in a file', 'write', { path: 'src/nul.ts', content: 'a\0b' }],
    ['a huge file', 'write', { path: 'src/huge.ts', content: 'x'.repeat(2_100_000) }],
    ['its dependencies', 'write', { path: 'node_modules/react/index.js', content: 'x' }],
    ['no path at all', 'write', { content: 'x' }],
  ])('%s', async (_what, name, input) => {
    symlinkSync(at('apps/shop'), at('apps/blog/linked'));
    symlinkSync(at('apps/shop/src/price.ts'), at('apps/blog/price.ts'));
    const before = world();
    // The links are a person's: they go before the end, which refuses such a tree whoever made it.
    server.play(call(name, input), write('src/app.tsx', 'mine'), call('check'), says('Done.'));
    await produce({}, { limits: { tokens: 10_000_000 }, check: async (dir, slug) => { for (const link of ['linked', 'price.ts']) rmSync(join(dir, 'apps', slug, link)); await Promise.resolve(); } });
    expect(told()[0]).toMatch(/^Refused: /);
    expect(JSON.stringify(server.asked)).not.toContain('what the shop charges');
    const after = world();
    const kit = (path: string): boolean => /^\/draft\/apps\/blog\/(?:index\.html|package(?:-lock)?\.json|tsconfig\.json|src\/(?:main\.tsx|app-name\.ts|app\.tsx))$/.test(path);
    expect(Object.keys(after).filter((path) => !(path in before)).filter((path) => !kit(path))).toEqual([]);
    expect(after['/draft/apps/shop/src/price.ts']).toBe(SECRET);
  });

  test('a tool that nobody has, and input that is no JSON, are answered, not obeyed', async () => {
    server.play(call('shell', { command: 'id' }), call('write', '{"path": "src/a'), write('src/app.tsx', 'mine'), says('Done.'));
    await produce();
    expect(told()).toHaveLength(3);
    expect(existsSync(at('apps/blog/src/a'))).toBe(false);
  });
});

describe('what fails leaves what was there, and nothing beside it', () => {
  const half = [write('src/app.tsx', 'half')];
  test.each<[string, readonly Played[], string, number]>([
    ['a cut-off stream', [...half, cutOff, ...half, cutOff, ...half, cutOff], 'BuildFailed', 6],
    ['a connection that breaks in a call', [...half, broken, ...half, broken, ...half, broken], 'BuildFailed', 6],
    ['garbage', [garbage, garbage, garbage], 'BuildFailed', 3],
    ['an answer that is too long', [...half, tooLong, tooLong, tooLong], 'BuildFailed', 4],
    ['one that writes nothing', [says('Done.'), says('Done.'), says('Done.')], 'BuildFailed', 3],
    ['429', [...half, status(429, { 'retry-after': '3' })], 'RateLimited', 2],
    ['500', [...half, status(500)], 'Unavailable', 2],
    ['401', [...half, status(401)], 'Denied', 2],
    ['a time-out', [...half, silent], 'Unavailable', 2],
  ])('%s', async (_what, played, type, asked) => {
    const before = world();
    server.play(...played);
    expect((await refusal(produce({}, {}, played.includes(silent) ? 3000 : server.settings.callMs))).type).toBe(type);
    expect(server.asked).toHaveLength(asked);
    expect(world()).toEqual(before);
    expect(readdirSync(root)).toEqual(['draft']);
  });

  test('what was answered is paid, of whatever use it was; what was refused is not', async () => {
    const paidFor = async (played: readonly Played[], deps: Partial<ModelProducerDeps> = {}, callMs?: number): Promise<number> => {
      spent.clear();
      server.play(...half, ...played);
      await refusal(produce({}, deps, callMs));
      return spent.get('op_000000000001') ?? 0;
    };
    expect(await paidFor([status(500)])).toBe(100);
    expect(await paidFor([call('check'), says('Done.')], { check: () => Promise.reject(new AdorableError('Unavailable', 'no registry')) })).toBe(200);
    // Counted by its length, since nobody else counts.
    expect(await paidFor([silent], {}, 3000)).toBeGreaterThan(200);
  });

  test('a try after a cut-off one begins anew', async () => {
    server.play(write('src/left-over.ts', 'half'), cutOff, write('src/app.tsx', 'whole'), says('Done.'));
    await produce();
    expect([text('apps/blog/src/app.tsx'), existsSync(at('apps/blog/src/left-over.ts'))]).toEqual(['whole', false]);
  });

  test('a check that could not run is no verdict on the app', async () => {
    const before = world();
    server.play(...half, call('check'), says('Done.'));
    expect(await refusal(produce({}, { check: () => Promise.reject(new AdorableError('Unavailable', 'no registry')) }))).toMatchObject({ type: 'Unavailable', message: 'no registry' });
    expect(world()).toEqual(before);
  });

  test('a cancelled activity stops asking', async () => {
    const cancelled = new AbortController();
    server.play(...half, () => { cancelled.abort(); });
    const before = world();
    await expect(produce({}, { signal: () => cancelled.signal })).rejects.toThrow();
    expect(server.asked).toHaveLength(2);
    expect(world()).toEqual(before);
  });
});

test('what would outlive its activity is stopped, and is no cancellation', async () => {
  server.play(write('src/app.tsx', 'half'), silent);
  const before = world();
  expect(await refusal(produce({ inTime: AbortSignal.timeout(500) }))).toMatchObject({ type: 'BuildFailed', message: expect.stringContaining('time') });
  expect(world()).toEqual(before);
});

test('the budget is the operation\'s: what other buckets spent counts, and says what to raise', async () => {
  spent.set('op_000000000001', 60_000);
  server.play(call('list'), write('src/app.tsx', 'mine'), says('Done.'));
  const before = world();
  expect(await refusal(produce({}, { limits: { tokens: 60_200 } }))).toMatchObject({ type: 'QuotaExceeded', message: expect.stringContaining('ADORABLE_MODEL_TOKENS') });
  expect(world()).toEqual(before);
  server.play(call('list'), write('src/app.tsx', 'mine'), says('Done.'));
  expect(await produce({ operationId: 'op_000000000002' as OperationId })).toMatchObject({ files: 8 });
});

test('an attempt after a failed one is shown what it holds and what was found', async () => {
  put('apps/blog/package.json', '{}');
  put('apps/blog/src/app.tsx', 'broken');
  server.play(call('read', { path: 'src/app.tsx' }), write('src/app.tsx', 'mended'), says('Done.'));
  await produce({ previous: { attempt: 1, errors: [{ kind: 'type', file: 'src/app.tsx', line: 9, message: 'Type "x" is not a number' }] } });
  expect(JSON.stringify(server.asked[0]?.body.messages)).toContain('src/app.tsx:9: Type');
  expect(told()[0]).toBe('broken');
  expect(text('apps/blog/src/app.tsx')).toBe('mended');
});

test('a fullstack app begins with a server\'s parts', async () => {
  server.play(write('server/router.ts', 'mine'), says('Done.'));
  await produce({ appKind: 'fullstack' });
  expect(readdirSync(at('apps/blog/server')).sort()).toEqual(['db.ts', 'router.ts', 'trpc.ts']);
  expect(statSync(at('apps/blog/server/db.ts')).mode & 0o777).toBe(0o644);
});

test('where nothing contains what it writes, nobody is asked', async () => {
  server.play(says('Done.'));
  expect(await refusal(produce({}, { requireContained: () => { requireContained(containment(undefined)); } }))).toMatchObject({ type: 'PreconditionFailed' });
  expect(server.asked).toHaveLength(0);
});

test('a directory that is not the app\'s own is refused', async () => {
  symlinkSync(at('apps/shop'), at('apps/other'));
  expect((await refusal(produce({ appSlug: 'other', intoDir: at('apps/other') }))).type).toBe('IsolationViolated');
});
