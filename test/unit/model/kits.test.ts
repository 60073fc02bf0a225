/** What every app of a kind begins with passes the real checks once the model has written the least of it; what it breaks, it is told. */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { linkDependencies } from '../../../activities/code/produce-app.ts';
import type { ProduceRequest } from '../../../activities/code/code-deps.ts';
import { connectModel } from '../../../activities/model/adapters/ai.ts';
import { createModelProducer } from '../../../activities/model/model-producer.ts';
import { createEnsureDeps } from '../../../activities/producer/deps.ts';
import { createProducer } from '../../../activities/producer/producer.ts';
import { obtain } from '../../../local/engines/obtain.ts';
import { fillSlot } from '../../../local/engines/slot.ts';
import { cacheDir } from '../../../local/paths.ts';
import type { OperationId } from '../../../shared/ids.ts';
import { containChecks } from '../../support/containment.ts';
import { call, says, startModelServer } from '../../support/model-server.ts';
import type { ModelServer } from '../../support/model-server.ts';

const checkout = new URL('../../..', import.meta.url).pathname;
const blueprintsDir = join(checkout, 'blueprints');
const scratch = mkdtempSync(join(tmpdir(), 'adorable-kits-'));
const runner = join(scratch, 'runners', 'check', 'main.mjs');
const isRoot = process.getuid?.() === 0;
let server: ModelServer;

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  cpSync(join(checkout, 'local', 'node', 'runners', 'check'), dirname(runner), { recursive: true });
  server = await startModelServer();
});
afterAll(async () => {
  await server.close();
  rmSync(scratch, { recursive: true, force: true });
});

const GOOD = "import { APP_NAME } from './app-name.ts';\nexport const App = () => <h1>{APP_NAME}</h1>;\n";
const ROUTER = "import { rows } from './db.ts';\nimport { procedure, router } from './trpc.ts';\nexport const appRouter = router({ health: procedure.query(async () => { await rows('SELECT 1'); return { ok: true }; }) });\nexport type AppRouter = typeof appRouter;\n";

test.each([['react', []], ['fullstack', [call('write', { path: 'server/router.ts', content: ROUTER })]]] as const)('%s', async (appKind, more) => {
  const draft = join(scratch, appKind);
  const intoDir = join(draft, 'apps', 'guests');
  mkdirSync(intoDir, { recursive: true });
  writeFileSync(join(intoDir, 'README.md'), '# Guests\n');
  const checks = createProducer({ blueprintsDir, checkRunner: runner, node: await obtain('node', () => undefined), contain: await containChecks(), checkUid: () => Promise.resolve(isRoot ? 65_534 : undefined) });
  const ensureDeps = createEnsureDeps({
    depsDir: join(scratch, 'deps'), cacheDir: cacheDir(), prebundler: join(checkout, 'local', 'node', 'runners', 'app', 'prebundle.mjs'),
    fillSlot: async (slot, build) => await fillSlot(slot, () => undefined, build),
  });
  const produce = createModelProducer({
    model: connectModel(server.settings), limits: { tokens: 100_000 }, blueprintsDir, requireContained: () => undefined, spend: (_operation, spent) => Promise.resolve(spent),
    check: async (dir, slug) => {
      await linkDependencies({ ensureDeps }, join(dir, 'apps', slug));
      await checks.check({ scratchDir: dir, slug });
    },
  });
  server.play(
    call('write', { path: 'src/styles.css', content: 'h1 { color: teal; }\n' }), ...more,
    call('write', { path: 'src/app.tsx', content: "import { price } from '../../shop/src/price.ts';\nexport const App = () => <h1>{price}</h1>;\n" }), call('check'),
    call('write', { path: 'src/app.tsx', content: `${GOOD}const wrong: number = 'x';\n` }), call('check'),
    call('write', { path: 'src/app.tsx', content: GOOD }), call('check'), says('Done.'),
  );
  await produce({
    operationId: 'op_000000000001' as OperationId, feature: { id: 'guests', title: 'Guests', blueprint: 'model', brief: 'Guests.' }, appSlug: 'guests', appName: 'Guests', appKind, intoDir,
    context: { targetAppId: 'a', apps: [{ id: 'a', slug: 'guests' }], symbols: [], dependencies: [], files: [], omitted: { files: 0, symbols: 0, dependencies: 0 }, search: () => [] },
  } satisfies ProduceRequest);
  const verdicts = (server.asked.at(-1)?.body.messages ?? []).filter(({ role, content }) => role === 'tool' && !String(content).startsWith('Wrote ')).map(({ content }) => String(content));
  expect(verdicts).toEqual([expect.stringContaining('reaches outside itself'), expect.stringContaining('src/app.tsx:3'), 'All is well.']);
  expect(readFileSync(join(intoDir, 'src/app.tsx'), 'utf8')).toBe(GOOD);
}, 180_000);
