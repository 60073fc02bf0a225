/**
 * From a sentence to commits with a recorded model, over a real database and real git: the proposal is
 * recorded like any other, the briefs reach the producer, an attempt mends the one before, and the key is nowhere (I7).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { connectModel } from '../../../activities/model/adapters/ai.ts';
import { architectByModel } from '../../../activities/model/model-architect.ts';
import { createModelProducer } from '../../../activities/model/model-producer.ts';
import { createDispatch } from '../../../activities/producer/dispatch.ts';
import { createProducer } from '../../../activities/producer/producer.ts';
import { readArchitectProject } from '../../../activities/records/architect-project.ts';
import { spendOnModel } from '../../../activities/records/model-spending.ts';
import { featuresOf } from '../../../activities/records/plan-revisions.ts';
import { createRuntime } from '../../../client/runtime.ts';
import type { TemporalGate } from '../../../client/temporal.ts';
import type { OperationId, ProjectId } from '../../../shared/ids.ts';
import { CATALOG } from '../../support/plans.ts';
import { app, bucket, createWorld, operation, REVISION } from '../code/code-world.ts';
import type { World } from '../code/code-world.ts';
import { createRecordsWorld } from '../records/records-world.ts';
import type { RecordsWorld } from '../records/records-world.ts';
import { call, KEY, says, startModelServer } from '../../support/model-server.ts';
import type { ModelServer } from '../../support/model-server.ts';

const catalog = { ...CATALOG, model: true };
const blueprintsDir = new URL('../../../blueprints', import.meta.url).pathname;
let server: ModelServer;
let records: RecordsWorld;
let code: World;
let projectId: ProjectId;

beforeAll(async () => {
  server = await startModelServer();
  records = await createRecordsWorld(catalog);
  projectId = await records.newProject();
  code = createWorld();
}, 60_000);
afterAll(async () => {
  await server.close();
  await records.close();
  await code.remove();
}, 30_000);

const feature = (id: string, rest: object = {}): object => ({
  id, title: 'Guest book', blueprint: 'model', change: null, brief: 'Visitors leave a line.\nNewest first.', targetAppId: `$NEW:${id}`,
  createsApp: { slug: id, kind: 'react', name: 'Guest Book' }, services: ['react-frontend'], requires: [], subtasks: [{ id: `${id}/list`, title: 'The list' }, { id: `${id}/form`, title: 'The form' }], ...rest,
});

function runtimeOf(architect: boolean) {
  return createRuntime({
    database: records.database, temporal: {} as TemporalGate, catalog: () => Promise.resolve(catalog),
    ...(architect ? { architect: async (message, against) => await architectByModel({ model: connectModel(server.settings), limits: server.settings }, message, against) } : {}),
    writePlanSpec: ({ revisionId, plan }) => { records.proposals.set(revisionId, plan); return Promise.resolve(); },
    readPlanSpec: ({ revisionId }) => Promise.resolve(records.proposals.get(revisionId)),
  });
}

test('chat: a sentence becomes a recorded proposal, generated like any other; the producer is told its brief', async () => {
  server.play(says(JSON.stringify({ features: [feature('guests')] })));
  const { revisionId } = await runtimeOf(true).chat(projectId, 'a guest book');
  expect(await featuresOf(records.database, revisionId, ['guests'])).toEqual([
    { id: 'guests', title: 'Guest book', blueprint: 'model', change: null, brief: 'Visitors leave a line.\nNewest first.', subtasks: ['The list', 'The form'] },
  ]);
  await records.approve(projectId, revisionId);
  const { operationId } = await records.generate(projectId);

  // A change by the model is not taken for what made the app.
  const [made] = (await readArchitectProject(records.database, projectId)).apps;
  const dark = feature('guests-dark', { change: 'guests-dark', targetAppId: made?.id, createsApp: null, subtasks: [{ id: 'guests-dark/do', title: 'Do' }] });
  server.play(says(JSON.stringify({ features: [dark] })));
  const second = await runtimeOf(true).chat(projectId, 'dark');
  await records.approve(projectId, second.revisionId);
  await records.generate(projectId);
  expect((await readArchitectProject(records.database, projectId)).apps).toEqual([expect.objectContaining({ slug: 'guests', blueprint: 'model', changes: ['guests-dark'] })]);

  // What an operation spent is its own, and adds up.
  await spendOnModel(records.database, operationId, { tokens: 70.2, micros: 1_500_000 });
  expect(await spendOnModel(records.database, operationId, { tokens: 0, micros: 10 })).toEqual({ tokens: 71, micros: 1_500_010 });
  await expect(spendOnModel(records.database, 'op_999999999999' as OperationId, { tokens: 1, micros: 1 })).rejects.toMatchObject({ type: 'NotFound' });
});

test('without a model the blueprints read sentences, and nobody is asked', async () => {
  server.play(says('{}'));
  await expect(runtimeOf(false).chat(projectId, 'a guest book')).rejects.toMatchObject({ type: 'NoBlueprint' });
  expect((await runtimeOf(false).chat(projectId, 'a blog')).plan.features.map(({ blueprint }) => blueprint)).toEqual(['blog']);
  expect(server.asked).toHaveLength(0);
});

test('an app by the model goes from scaffold to a checked commit, mended once; the key is in no file and no object', async () => {
  const one = app(1, 'guests');
  const fenced = operation(1);
  const spent: number[] = [];
  code.deps.records.featuresOf = (_revision, ids) => Promise.resolve(ids.map((id) => ({ id, title: 'Guest book', blueprint: 'model', change: null, brief: 'Lines.' })));
  const unused = createProducer({ blueprintsDir, checkRunner: '', node: '' });
  const dispatch = createDispatch({ blueprints: unused, model: createModelProducer({
    model: connectModel(server.settings), limits: { tokens: 100_000 }, blueprintsDir, requireContained: () => undefined, check: () => Promise.resolve(),
    spend: (operationId, { tokens }) => { expect(operationId).toBe(fenced.operationId); spent.push(tokens); return Promise.resolve({ tokens: spent.reduce((sum, n) => sum + n, 0), micros: 0 }); },
  }) });
  Object.assign(code.deps.producer, { produce: dispatch.produce, canMend: dispatch.canMend });
  code.declared = { ...code.declared, apps: [one] };
  await code.code.ensureRepository(fenced);
  await code.code.scaffoldApp({ ...fenced, app: { appId: one.id, slug: one.slug, kind: one.kind, name: one.name, featureId: 'f_guests' } });

  server.play(call('write', { path: 'src/app.tsx', content: 'broken' }), says('Done.'));
  expect(await code.code.produceApp({ ...fenced, bucket: bucket(one), revisionId: REVISION })).toEqual({ files: 8, canMend: true });
  server.play(call('read', { path: 'src/app.tsx' }), call('write', { path: 'src/app.tsx', content: 'export const App = () => null;\n' }), says('Mended.'));
  const previous = { attempt: 1, errors: [{ kind: 'type' as const, file: 'src/app.tsx', line: 1, message: 'Cannot find name broken' }] };
  expect(await code.code.produceApp({ ...fenced, bucket: bucket(one), revisionId: REVISION, previous })).toEqual({ files: 8, canMend: true });
  expect(server.asked.at(-1)?.body.messages.find(({ role }) => role === 'tool')?.content).toBe('broken');
  const point = await code.code.checkApp({ ...fenced, bucket: bucket(one), attempt: 2 });

  expect(code.git('show', `${point.commit}:apps/guests/src/app.tsx`)).toBe('export const App = () => null;');
  expect(code.git('ls-tree', '-r', '--name-only', point.commit).split('\n').filter((path) => !path.startsWith('apps/guests/') && !path.startsWith('.adorable/'))).toEqual([]);
  expect(spent.reduce((sum, n) => sum + n, 0)).toBe(500);

  const objects = code.git('cat-file', '--batch-all-objects', '--batch-check').split('\n').map((line) => line.split(' ')).filter(([, type]) => type !== 'tree').map(([oid = '']) => code.git('cat-file', '-p', oid));
  expect(objects.length).toBeGreaterThan(8);
  expect(objects.filter((text) => text.includes(KEY))).toEqual([]);
  const files = readdirSync(code.projectsDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  expect(files.filter((file) => readFileSync(file).includes(KEY))).toEqual([]);
  // Nothing of the copies that the model wrote in is left beside them.
  expect(files.filter((file) => file.includes('.model/'))).toEqual([]);
});
