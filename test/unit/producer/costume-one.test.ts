/**
 * Seed costume 1, whole: a finance tracker with a `TRPCProvider`, a blog beside it, real git, real checks.
 * The blog's producer is never given the other's text, and what it writes as if it had been cannot get in.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ProduceRequest } from '../../../activities/code/code-deps.ts';
import { createEnsureDeps } from '../../../activities/producer/deps.ts';
import { createProducer } from '../../../activities/producer/producer.ts';
import { fillSlot } from '../../../local/engines/slot.ts';
import { obtain } from '../../../local/engines/obtain.ts';
import { cacheDir } from '../../../local/paths.ts';
import { app, bucket, createWorld, generate, operation, REVISION, worktreeFiles } from '../code/code-world.ts';
import type { World } from '../code/code-world.ts';
import { checkout } from './isolation-world.ts';

const PROVIDER = "import type { ReactNode } from 'react';\n\n/** The secret sauce of the finance tracker. */\nexport function TRPCProvider({ children }: { children: ReactNode }) {\n  return children;\n}\n";
const finance = app(1, 'personal-finance');
const blog = app(2, 'blog');
const root = mkdtempSync(join(tmpdir(), 'adorable-costume-'));
const runner = join(root, 'runners', 'check', 'main.mjs');
let world: World;
let write: (request: ProduceRequest) => void = () => undefined;
let seen: ProduceRequest | undefined;

beforeAll(async () => {
  chmodSync(root, 0o755);
  cpSync(join(checkout, 'local', 'node', 'runners', 'check'), dirname(runner), { recursive: true });
  world = createWorld();
  const blueprints = createProducer({ blueprintsDir: join(checkout, 'blueprints'), checkRunner: runner, node: await obtain('node', () => undefined) });
  world.deps.producer.check = async (request) => await blueprints.check(request);
  world.deps.producer.produce = async (request) => {
    await blueprints.produce({ ...request, feature: { id: request.feature.id, blueprint: request.appSlug === 'blog' ? 'blog' : 'finance-tracker' } });
    seen = request;
    write(request);
  };
  world.deps.ensureDeps = createEnsureDeps({
    depsDir: join(root, 'deps'), cacheDir: cacheDir(), prebundler: join(checkout, 'local', 'node', 'runners', 'app', 'prebundle.mjs'),
    fillSlot: async (slot, build) => await fillSlot(slot, () => undefined, build),
  });
  await world.code.ensureRepository(operation(1));
  write = ({ intoDir }) => { writeFileSync(join(intoDir, 'src', 'provider.tsx'), PROVIDER); };
  await generate(world, operation(2), [finance]);
  await world.code.dropRun(operation(2));
  world.declared = { ...world.declared, apps: [finance, blog] };
}, 240_000);
afterAll(async () => { await world.remove(); rmSync(root, { recursive: true, force: true }); });

describe('the producer of the blog', () => {
  test('knows that the other app has the symbol, and has none of its text', async () => {
    write = () => undefined;
    await world.code.produceApp({ ...operation(3), bucket: bucket(blog), revisionId: REVISION });
    expect(seen?.context.symbols).toContainEqual({ name: 'TRPCProvider', kind: 'function', path: 'apps/personal-finance/src/provider.tsx', line: 4, appId: finance.id });
    expect(seen?.context.search('TRPCProvider')[0]).toEqual({ appId: finance.id, path: 'apps/personal-finance/src/provider.tsx', lines: [] });
    const given = JSON.stringify([seen?.context, seen?.context.search('secret sauce finance tracker')]);
    for (const path of worktreeFiles(world).filter((name) => /^apps\/personal-finance\/.*\.(?:tsx?|sql|css)$/.test(name))) {
      for (const line of readFileSync(join(world.work, path), 'utf8').split('\n').filter((text) => text.trim().length > 30)) expect(given).not.toContain(JSON.stringify(line).slice(1, -1));
    }
  }, 60_000);

  test.each([
    ['as if it were its own', "import { TRPCProvider } from './provider';", 'BuildFailed'],
    ['where it is', "import { TRPCProvider } from '../../personal-finance/src/provider.tsx';", 'IsolationViolated'],
    ['by the name in the index', "import { TRPCProvider } from 'apps/personal-finance/src/provider.tsx';", 'IsolationViolated'],
    ['when it is needed', "const { TRPCProvider } = await import('../../personal-finance/src/provider.tsx');", 'IsolationViolated'],
  ])('imports it %s: refused with file and line, nothing is kept', async (_, line, type) => {
    const before = { head: world.git('rev-parse', 'HEAD'), files: worktreeFiles(world) };
    write = ({ intoDir }) => { writeFileSync(join(intoDir, 'src', 'copied.tsx'), `// Wraps the blog.\n${line}\nexport const Wrapped = TRPCProvider;\n`); };
    const request = { ...operation(4), bucket: bucket(blog), revisionId: REVISION };
    await world.code.produceApp(request);
    const failure = await world.code.checkApp(request).then(() => undefined, (error: unknown) => error);
    expect(failure).toMatchObject({ type, message: expect.stringContaining('apps/blog/src/copied.tsx:2: '), details: { errors: [{ file: 'apps/blog/src/copied.tsx', line: 2 }] } });
    expect(world.git('for-each-ref', 'refs/adorable/run')).toBe('');
    expect({ head: world.git('rev-parse', 'HEAD'), files: worktreeFiles(world) }).toEqual(before);
    expect(readdirSync(join(world.work, 'apps'))).toEqual(['personal-finance']);
  }, 120_000);
});
