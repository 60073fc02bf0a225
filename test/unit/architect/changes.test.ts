/** What a message asks of apps that are there: their real id, or a refusal that names what there is; never the primary (I4). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readBlueprints } from '../../../activities/producer/blueprints.ts';
import { architect } from '../../../shared/architect/architect.ts';
import type { ArchitectProject } from '../../../shared/architect/plan.ts';
import { validatePlan } from '../../../shared/architect/validate-plan.ts';
import { AdorableError } from '../../../shared/errors.ts';
import { appOf } from '../../support/plans.ts';

const blueprints = await readBlueprints(new URL('../../../blueprints', import.meta.url).pathname);
const services = ['react-frontend', 'trpc-api', 'postgres', 'directus'];
const catalog = { blueprints, services: services.map((id) => ({ id, requires: [] })) };
const money = appOf(1, 'personal-finance', { name: 'Personal Finance', kind: 'fullstack', blueprint: 'finance-tracker' });
const blog = appOf(2, 'blog', { name: 'Blog' });
const notes = appOf(3, 'field-notes', { name: 'Field Notes' });
const board = appOf(4, 'task-board', { name: 'Task Board', kind: 'fullstack', blueprint: 'task-board' });
const home = appOf(5, 'portfolio', { name: 'Portfolio', blueprint: 'portfolio' });
const archived = { ...blog, archived: true };

const project = (...apps: ArchitectProject['apps'][number][]): ArchitectProject => ({ apps, services });
const all = project(money, blog, board, home);

/** Blueprint, change and target of each feature; what is proposed is also what is accepted. */
function asked(message: string, of: ArchitectProject) {
  const plan = validatePlan(architect(message, of, blueprints), of, catalog);
  return plan.features.map(({ blueprint, change, targetAppId }) => [blueprint, change, targetAppId]);
}

function refusal(message: string, of: ArchitectProject): AdorableError {
  try {
    architect(message, of, blueprints);
  } catch (error) {
    if (error instanceof AdorableError) return error;
    throw error;
  }
  throw new Error(`${message} was understood`);
}

describe('a change of an app that is there', () => {
  test.each([
    ['add tags to the blog', 'blog', 'tags', blog.id],
    ['Add tags to my blog, please!', 'blog', 'tags', blog.id],
    ['give the blog hashtags', 'blog', 'tags', blog.id],
    ['let me export the transactions as CSV', 'finance-tracker', 'csv-export', money.id],
    ['I want to export everything to a spreadsheet', 'finance-tracker', 'csv-export', money.id],
    ['add budgets to the finance tracker', 'finance-tracker', 'budgets', money.id],
    ['add budgets', 'finance-tracker', 'budgets', money.id],
    ['let me archive cards on the task board', 'task-board', 'archive', board.id],
    ['let me search the blog', 'blog', 'search', blog.id],
    ['make the blog searchable', 'blog', 'search', blog.id],
    ['a dark mode for the portfolio', 'portfolio', 'dark-mode', home.id],
  ])('%s', (message, blueprint, change, target) => {
    expect(asked(message, all)).toEqual([[blueprint, change, target]]);
  });

  test('of two blogs the one that is named, by slug, by name or in quotes', () => {
    const two = project(money, blog, notes);
    expect(asked('add tags to field-notes', two)).toEqual([['blog', 'tags', notes.id]]);
    expect(asked('add tags to my Field Notes', two)).toEqual([['blog', 'tags', notes.id]]);
    expect(asked('add tags to the one called "Field Notes"', two)).toEqual([['blog', 'tags', notes.id]]);
    expect(asked('add tags to the blog called "Blog"', two)).toEqual([['blog', 'tags', blog.id]]);
  });

  test('several at once, and together with a new app', () => {
    expect(asked('add tags to the blog and budgets to the finance tracker', all)).toEqual([['blog', 'tags', blog.id], ['finance-tracker', 'budgets', money.id]]);
    expect(asked('add budgets to my finance tracker and a task board', project(money))).toEqual([['task-board', null, '$NEW:task-board'], ['finance-tracker', 'budgets', money.id]]);
  });
});

describe('a new app with a change', () => {
  test.each<[string, readonly (string | null)[][]]>([
    ['a blog with tags', [['blog', null, '$NEW:blog'], ['blog', 'tags', '$NEW:blog']]],
    ['a blog with tags and search', [['blog', null, '$NEW:blog'], ['blog', 'tags', '$NEW:blog'], ['blog', 'search', '$NEW:blog']]],
    ['a finance tracker with budgets and CSV export', [['finance-tracker', null, '$NEW:personal-finance'], ['finance-tracker', 'budgets', '$NEW:personal-finance'], ['finance-tracker', 'csv-export', '$NEW:personal-finance']]],
    ['a budget app', [['finance-tracker', null, '$NEW:personal-finance']]],
    ['a task board with tags', [['task-board', null, '$NEW:task-board']]],
  ])('%s', (message, expected) => {
    expect(asked(message, project())).toEqual(expected);
  });

  test('siblings under one sentinel come after what makes the app', () => {
    expect(architect('a blog with tags', project(), blueprints).features).toMatchObject([
      { id: 'blog', requires: [] }, { id: 'blog-tags', targetAppId: '$NEW:blog', requires: ['blog'], subtasks: [{ id: 'blog-tags/read' }, { id: 'blog-tags/show' }] },
    ]);
  });

  test('a second app of a kind under a name of its own; without one it is refused', () => {
    expect(architect('another blog called "Field Notes"', project(blog), blueprints).features).toMatchObject([{ createsApp: { slug: 'field-notes', name: 'Field Notes' } }]);
    expect(refusal('another blog', project(blog))).toMatchObject({ type: 'InvalidInput', message: expect.stringContaining('called') });
    expect(refusal('another blog called "Blog"', project(blog))).toMatchObject({ type: 'InvalidInput' });
    expect(refusal('another blog called "日本"', project(blog))).toMatchObject({ type: 'InvalidInput' });
  });
});

describe('what is refused, never given to the primary', () => {
  test.each([
    ['add tags to the blog', project(money), 'personal-finance'],
    ['add tags to the blog', project(), 'no app'],
    ['add tags to the blog', project(money, archived), 'personal-finance'],
    ['let me export the transactions as CSV', project(blog), 'blog'],
    ['let me archive cards', project(money, blog), 'blog'],
    ['make it dark', project(money), 'personal-finance'],
    ['add comments to the blog', project(money), 'personal-finance'],
    ['add comments to the blog', project(), 'no app'],
  ])('%s: there is none', (message, of, named) => {
    const error = refusal(message, of);
    expect(error.type).toBe('UnresolvedTarget');
    expect(error.message).toContain(named);
  });

  test.each(['add tags to the blog', 'add tags', 'add search to my blog'])('%s: there are two, and both are named', (message) => {
    const error = refusal(message, project(money, blog, notes));
    expect(error).toMatchObject({ type: 'UnresolvedTarget', details: { candidates: ['blog', 'field-notes'] } });
  });

  test('a change that the named app cannot be given says what it can', () => {
    expect(refusal('add comments to the blog', all)).toMatchObject({ type: 'UnresolvedTarget', message: expect.stringMatching(/blog.*search, tags/) });
    expect(asked('a blog, and add comments to the blog', project())).toEqual([['blog', null, '$NEW:blog']]);
    expect(refusal('add tags to the finance tracker', all)).toMatchObject({ type: 'UnresolvedTarget', message: expect.stringMatching(/personal-finance.*csv export.*monthly budgets|personal-finance.*monthly budgets.*csv export/) });
  });

  test('a change that it has already', () => {
    expect(refusal('add tags to the blog', project({ ...blog, changes: ['tags'] }))).toMatchObject({ type: 'PreconditionFailed', details: { app: 'blog', change: 'tags' } });
  });
});

test('any words: a plan that the project accepts, or a typed refusal; no change ever aims at an app of another kind, or at one that is archived', () => {
  const word = fc.constantFrom(
    'add', 'let', 'me', 'a', 'an', 'the', 'my', 'another', 'new', 'app', 'and', 'with', 'to', 'for', 'on', 'about', 'next to', ',', '.', 'called "Field Notes"', 'called "Roots"',
    'blog', 'finance', 'tracker', 'task', 'board', 'portfolio', 'money', 'posts', 'tags', 'search', 'CSV', 'export', 'budget', 'budgets', 'archive', 'cards', 'dark', 'palette', 'comments', 'field-notes',
  );
  const some = fc.subarray([money, blog, notes, board, home, { ...archived, id: appOf(9, 'x').id }]).filter((apps) => apps.filter(({ slug, archived: gone }) => slug === 'blog' && !gone).length < 2);
  let changed = 0;
  fc.assert(fc.property(fc.array(word, { minLength: 1, maxLength: 9 }), some, (words, apps) => {
    const of = project(...apps);
    let features;
    try {
      features = asked(words.join(' '), of);
    } catch (error) {
      expect(error).toMatchObject({ type: expect.stringMatching(/^(NoBlueprint|InvalidInput|UnresolvedTarget|PreconditionFailed|PlanRefused)$/) });
      return;
    }
    for (const [blueprint, change, target] of features) {
      if (change === null || String(target).startsWith('$NEW:')) continue;
      changed += 1;
      expect(apps.filter(({ id, archived: gone }) => id === target && !gone).map((app) => app.blueprint)).toEqual([blueprint]);
    }
  }), { numRuns: 3000 });
  expect(changed).toBeGreaterThan(50);
});
