/** The model's settings: whole, from the environment, and never anywhere that the key would leak to (I7). */
import { describe, expect, test } from '@jest/globals';
import { readModelSettings } from '../../../activities/model/settings.ts';
import { createDispatch } from '../../../activities/producer/dispatch.ts';
import type { ProduceRequest } from '../../../activities/code/code-deps.ts';
import { PART_NAMES } from '../../../local/supervisor/part-names.ts';
import { partEnvironment } from '../../../local/supervisor/supervisor.ts';

const KEY = 'sk-test-0123456789abcdef';
const ENV = { ADORABLE_MODEL_URL: 'https://models.example/v1/', ADORABLE_MODEL_NAME: 'acme/large-2', ADORABLE_MODEL_KEY: KEY };

test('nothing configured is no model', () => {
  expect([readModelSettings({}), readModelSettings({ ADORABLE_MODEL_URL: '' })]).toEqual([undefined, undefined]);
});

test('an address, a name and a key are one', () => {
  expect(readModelSettings(ENV)).toEqual({ url: 'https://models.example/v1', key: KEY, name: 'acme/large-2', tokens: 400_000, callMs: 180_000 });
  expect(readModelSettings({ ADORABLE_MODEL_URL: 'http://127.0.0.1:11434/v1', ADORABLE_MODEL_NAME: 'local:7b', ADORABLE_MODEL_TOKENS: '1000', ADORABLE_MODEL_SECONDS: '20' }))
    .toEqual({ url: 'http://127.0.0.1:11434/v1', key: undefined, name: 'local:7b', tokens: 1000, callMs: 20_000 });
  expect(readModelSettings({ ...ENV, ADORABLE_MODEL_PRICES: '3/15', ADORABLE_MODEL_COST: '2.5' })).toMatchObject({ prices: { asked: 3, answered: 15 }, micros: 2_500_000 });
  // As a compose file passes what nobody set.
  expect(readModelSettings({ ...ENV, ADORABLE_MODEL_KEY: '', ADORABLE_MODEL_TOKENS: '', ADORABLE_MODEL_PRICES: '', ADORABLE_MODEL_COST: '', ADORABLE_MODEL_SECONDS: '' })).toEqual({ url: 'https://models.example/v1', key: undefined, name: 'acme/large-2', tokens: 400_000, callMs: 180_000 });
  expect(readModelSettings({ ...ENV, ADORABLE_MODEL_PRICES: '0.25/0' })).toMatchObject({ prices: { asked: 0.25, answered: 0 } });
});

describe('is refused, without the key', () => {
  test.each<[string, NodeJS.ProcessEnv]>([
    ['a key for nobody', { ADORABLE_MODEL_KEY: KEY }],
    ['no name', { ...ENV, ADORABLE_MODEL_NAME: '' }],
    ['a name with a line break', { ...ENV, ADORABLE_MODEL_NAME: 'a\nb' }],
    ['no address', { ...ENV, ADORABLE_MODEL_URL: 'models' }],
    ['a file', { ...ENV, ADORABLE_MODEL_URL: 'file:///etc/passwd' }],
    ['a key in the address', { ...ENV, ADORABLE_MODEL_URL: `https://me:${KEY}@models.example/v1` }],
    ['a key in the query', { ...ENV, ADORABLE_MODEL_URL: `https://models.example/v1?key=${KEY}` }],
    ['a key over the open net', { ...ENV, ADORABLE_MODEL_URL: 'http://models.example/v1' }],
    ['a key with a line break', { ...ENV, ADORABLE_MODEL_KEY: `${KEY}\nx: y` }],
    ['no budget', { ...ENV, ADORABLE_MODEL_TOKENS: '0' }],
    ['a budget without an end', { ...ENV, ADORABLE_MODEL_TOKENS: 'Infinity' }],
    ['a cost without prices', { ...ENV, ADORABLE_MODEL_COST: '5' }],
    ['one price', { ...ENV, ADORABLE_MODEL_PRICES: '3' }],
    ['three prices', { ...ENV, ADORABLE_MODEL_PRICES: '3/4/5' }],
    ['a price that is none', { ...ENV, ADORABLE_MODEL_PRICES: '3/-1' }],
    ['a cost of what is free', { ...ENV, ADORABLE_MODEL_PRICES: '0/0', ADORABLE_MODEL_COST: '5' }],
    ['a cost of nothing', { ...ENV, ADORABLE_MODEL_PRICES: '3/15', ADORABLE_MODEL_COST: '0' }],
    ['a cost with its currency', { ...ENV, ADORABLE_MODEL_PRICES: '3/15', ADORABLE_MODEL_COST: '$5' }],
    ['a patience longer than an activity', { ...ENV, ADORABLE_MODEL_SECONDS: '3600' }],
  ])('%s', (_what, env) => {
    expect(() => readModelSettings(env)).toThrow(expect.objectContaining({ type: 'InvalidInput', message: expect.not.stringContaining(KEY) }));
  });
});

test('of the parts of a platform the worker alone is given the key', () => {
  process.env['ADORABLE_MODEL_KEY'] = KEY;
  try {
    const given = PART_NAMES.filter((name) => Object.values(partEnvironment({ instance: 'i', dataDir: '/d' }, name)).includes(KEY));
    expect(given).toEqual(['worker']);
  } finally {
    delete process.env['ADORABLE_MODEL_KEY'];
  }
});

describe('two backends, one interface', () => {
  const asked: string[] = [];
  const blueprints = {
    canMend: () => false,
    produce: ({ feature }: { feature: { id: string } }) => { asked.push(`blueprint ${feature.id}`); return Promise.resolve({ files: 1 }); },
    check: () => Promise.resolve({ ok: true, errors: [], ms: 0 }),
  };
  const feature = (id: string, blueprint: string) => ({ id, title: id, blueprint });
  const request = (id: string, blueprint: string) => ({ feature: feature(id, blueprint) }) as unknown as ProduceRequest;

  test('each feature goes to the backend that it names, and only the model\'s is mended', async () => {
    const both = createDispatch({ blueprints, model: ({ feature: { id } }) => { asked.push(`model ${id}`); return Promise.resolve({ files: 1 }); } });
    await both.produce(request('one', 'blog'));
    await both.produce(request('two', 'model'));
    expect(asked).toEqual(['blueprint one', 'model two']);
    expect([both.canMend(feature('one', 'blog')), both.canMend(feature('two', 'model'))]).toEqual([false, true]);
  });

  test('without a model its features are refused with what to do, and no blueprint takes them', async () => {
    asked.length = 0;
    const alone = createDispatch({ blueprints });
    await expect(alone.produce(request('two', 'model'))).rejects.toMatchObject({ type: 'PreconditionFailed', message: expect.stringContaining('ADORABLE_MODEL_URL') });
    expect([asked, alone.canMend(feature('two', 'model'))]).toEqual([[], false]);
  });
});
