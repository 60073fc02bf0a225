/** A sentence becomes a validated plan by asking a model; what it gets wrong is refused like anybody's plan (I4, I8). */
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { connectModel } from '../../../activities/model/adapters/ai.ts';
import { architectByModel } from '../../../activities/model/model-architect.ts';
import type { ModelSettings } from '../../../activities/model/settings.ts';
import { reasonsOf } from '../../../shared/architect/validate-plan.ts';
import { AdorableError } from '../../../shared/errors.ts';
import { toApplicationFailure } from '../../../workers/heartbeat-interceptor.ts';
import { appOf, CATALOG, projectOf } from '../../support/plans.ts';
import { broken, cutOff, garbage, KEY, says, silent, startModelServer, status, tooLong, halfCounted, uncounted } from '../../support/model-server.ts';
import type { ModelServer } from '../../support/model-server.ts';

const blog = appOf(1, 'blog');
const gone = appOf(2, 'gone', { archived: true });
const project = projectOf(blog, gone);
const catalog = { ...CATALOG, model: true };
let server: ModelServer;

beforeAll(async () => { server = await startModelServer(); });
afterAll(async () => { await server.close(); });

const plan = (message = 'A guest book', settings: Partial<ModelSettings> = {}) =>
  architectByModel({ model: connectModel({ ...server.settings, ...settings }), limits: { ...server.settings, ...settings } }, message, { project, catalog });

async function refusal(work: Promise<unknown>): Promise<AdorableError> {
  const error = await work.then(() => undefined, (caught: unknown) => caught);
  if (!(error instanceof AdorableError)) throw new Error(`no typed refusal: ${String(error)}`);
  // Whatever else: neither in the failure with all that hangs on it, nor in what goes over Temporal's wire (I7).
  expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(KEY);
  expect(inspect(toApplicationFailure(error), { depth: 9 })).not.toContain(KEY);
  return error;
}

const book = {
  id: 'guest-book', title: 'Guest book', blueprint: 'model', change: null, brief: 'Visitors leave a line.\nNewest first.', targetAppId: '$NEW:guest-book',
  createsApp: { slug: 'guest-book', kind: 'fullstack', name: 'Guest Book' }, services: ['react-frontend', 'trpc-api', 'postgres'], requires: [],
  subtasks: [{ id: 'guest-book/entries', title: 'Entries' }],
};
const tags = { id: 'blog-tags', title: 'Tags', blueprint: 'blog', change: 'tags', brief: null, targetAppId: blog.id, createsApp: null, services: [], requires: [], subtasks: [{ id: 'blog-tags/do', title: 'Do' }] };
const dark = { ...tags, id: 'blog-dark', blueprint: 'model', change: 'blog-dark', brief: 'A dark mode.', subtasks: [{ id: 'blog-dark/do', title: 'Do' }] };
const answer = (...features: readonly unknown[]) => says(JSON.stringify({ features }));

test('a sentence becomes a plan: apps and changes, by blueprint and by model, in the person\'s own words', async () => {
  server.play(answer(book, tags, dark));
  const { createsApp: _none, brief: _no, ...taggedByBlueprint } = tags;
  const { createsApp: _neither, ...darkByModel } = dark;
  expect(await plan('  A guest book, tags and a dark mode for the blog ')).toEqual({ version: 1, message: 'A guest book, tags and a dark mode for the blog', features: [book, taggedByBlueprint, darkByModel] });
  const [{ authorization, path, body }] = server.asked as [ModelServer['asked'][number]];
  expect([authorization, path, body.model, body.response_format?.type]).toEqual([`Bearer ${KEY}`, '/v1/chat/completions', 'recorded', 'json_schema']);
  // It knows the live app, and not the archived one.
  expect(JSON.stringify(body.messages)).toContain(blog.id);
  expect(JSON.stringify(body.messages)).not.toContain(gone.id);
});

test('a refused plan goes back once, with every reason, and the better one is taken', async () => {
  server.play(answer({ ...tags, targetAppId: 'a_999999999999', services: ['mongo'] }), answer(tags));
  expect((await plan()).features.map(({ id }) => id)).toEqual(['blog-tags']);
  const told = JSON.stringify(server.asked[1]?.body.messages.at(-1)?.content);
  expect(told).toContain('a_999999999999');
  expect(told).toContain('mongo');
});

describe('what is refused twice is refused', () => {
  test.each<[string, string, unknown]>([
    ['an app of nobody', 'unknown-app', { ...tags, targetAppId: 'a_999999999999' }],
    ['an archived app', 'archived-app', { ...tags, targetAppId: gone.id }],
    ['the primary app by default', 'unknown-app', { ...dark, targetAppId: '' }],
    ['a sentinel without a creator', 'sentinel-without-creator', { ...dark, targetAppId: '$NEW:nothing' }],
    ['a feature of the model without a brief', 'brief', { ...dark, brief: null }],
    ['a brief that a blueprint would ignore', 'brief', { ...tags, brief: 'and comments' }],
    ['a change that could be taken for a blueprint\'s', 'unknown-change', { ...dark, change: 'tags' }],
    ['a change that could be taken for what made the app', 'unknown-change', { ...dark, change: null }],
    ['a slug that is a service', 'slug-is-service', { ...book, createsApp: { ...book.createsApp, slug: 'postgres' } }],
    ['a field that nobody knows', 'shape', { ...tags, shell: 'rm -rf /' }],
    ['a brief with hidden characters', 'shape', { ...dark, brief: 'dark\u202e mode' }],
  ])('%s', async (_what, code, feature) => {
    server.play(answer(feature), answer(feature));
    const error = await refusal(plan());
    expect([error.type, reasonsOf(error).map((reason) => reason.code)]).toEqual(['PlanRefused', expect.arrayContaining([code])]);
    expect(server.left()).toBe(0);
  });

  test.each([['prose', says('I would make a guest book.')], ['another document', says('{"plan": []}')], ['nothing', says('')], ['a cut-off stream', cutOff], ['a broken connection', broken], ['garbage', garbage], ['one that is too long', tooLong]])('%s', async (_what, played) => {
    server.play(played, played);
    expect((await refusal(plan())).type).toBe('PlanRefused');
    expect(server.left()).toBe(0);
  });
});

test('without a model in the catalog a feature of the model is refused, as the worker does that has none', async () => {
  server.play(answer(dark), answer(dark));
  const error = await refusal(architectByModel({ model: connectModel(server.settings), limits: { tokens: 100_000 } }, 'dark', { project, catalog: CATALOG }));
  expect(reasonsOf(error).map(({ code }) => code)).toEqual(['no-model']);
});

describe('a server that does not do its part, asked once', () => {
  test.each<[string, number, Record<string, string>, string, unknown]>([
    ['429 with seconds', 429, { 'retry-after': '7' }, 'RateLimited', 7000],
    ['429 without', 429, {}, 'RateLimited', undefined],
    ['500', 500, {}, 'Unavailable', undefined],
    ['503', 503, { 'retry-after': '7' }, 'Unavailable', undefined],
    ['401', 401, {}, 'Denied', undefined],
    ['402', 402, {}, 'QuotaExceeded', undefined],
    ['404', 404, {}, 'PreconditionFailed', undefined],
    ['a redirect', 302, { location: 'http://127.0.0.1:9/' }, 'PreconditionFailed', undefined],
  ])('%s', async (_what, code, headers, type, retryAfterMs) => {
    server.play(status(code, headers));
    const error = await refusal(plan());
    expect([error.type, error.details['retryAfterMs']]).toEqual([type, retryAfterMs]);
    expect(server.asked).toHaveLength(1);
  });

  test('the pause that it asks for is the pause before Temporal\'s next attempt', async () => {
    server.play(status(429, { 'retry-after': '7' }));
    expect(toApplicationFailure(await refusal(plan()))).toMatchObject({ type: 'RateLimited', nonRetryable: false, nextRetryDelay: 7000 });
  });

  test('a time-out, and nobody there', async () => {
    server.play(silent);
    expect((await refusal(plan('x', { callMs: 200 }))).type).toBe('Unavailable');
    expect((await refusal(plan('x', { url: 'http://127.0.0.1:1/v1' }))).type).toBe('Unavailable');
  });
});

test('the budget in money: what is left pays for the answer that is asked for, and for no more', async () => {
  const prices = { asked: 3, answered: 15 };
  server.play(answer(tags));
  await plan('x', { prices, micros: 200_000 });
  const [asked] = server.asked;
  // The question's own share is paid first.
  expect(asked?.body.max_tokens).toBeLessThan(200_000 / prices.answered);
  expect(asked?.body.max_tokens).toBeGreaterThan(10_000);
  server.play(answer(tags));
  const refused = await refusal(plan('x', { prices, micros: 5000 }));
  expect(refused).toMatchObject({ type: 'QuotaExceeded', message: expect.stringContaining('more than 0.005 for this: raise ADORABLE_MODEL_COST') });
  expect(server.asked).toHaveLength(0);
  // 12,000 tokens of question at 3 a million: counted as the server counts.
  server.play(says('{"features": []}', 120_000), answer(tags));
  expect((await refusal(plan('x', { tokens: 1_000_000, prices, micros: 300_000 }))).message).toContain('ADORABLE_MODEL_COST');
  expect(server.left()).toBe(1);
});

test('the budget: asked before, counted after, also where the server does not count', async () => {
  server.play(says('{"features": []}', 900));
  expect(await refusal(plan('x', { tokens: 10 }))).toMatchObject({ type: 'QuotaExceeded', message: expect.stringContaining('ADORABLE_MODEL_TOKENS') });
  expect(server.asked).toHaveLength(0);
  server.play(says('{"features": []}', 90_000), answer(tags));
  expect((await refusal(plan('x', { tokens: 20_000 }))).type).toBe('QuotaExceeded');
  expect(server.left()).toBe(1);
  for (const counts of [uncounted, halfCounted]) {
    server.play(counts('x'.repeat(90_000)), answer(tags));
    expect((await refusal(plan('x', { tokens: 20_000 }))).type).toBe('QuotaExceeded');
    expect(server.left()).toBe(1);
  }
});
