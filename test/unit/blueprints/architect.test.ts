import { describe, expect, test } from '@jest/globals';
import { architect } from '../../../shared/architect/architect.ts';
import type { ArchitectProject } from '../../../shared/architect/plan.ts';
import { readBlueprints } from '../../../activities/producer/blueprints.ts';
import { AdorableError } from '../../../shared/errors.ts';
import { appOf } from '../../support/plans.ts';

const blueprints = await readBlueprints(new URL('../../../blueprints', import.meta.url).pathname);
const empty: ArchitectProject = { apps: [], services: [] };
const withFinance: ArchitectProject = {
  apps: [appOf(1, 'personal-finance', { name: 'Personal Finance', kind: 'fullstack', blueprint: 'finance-tracker' })],
  services: ['react-frontend', 'trpc-api', 'postgres'],
};

function refusal(message: string, project = empty): AdorableError {
  try {
    architect(message, project, blueprints);
  } catch (error) {
    if (error instanceof AdorableError) return error;
    throw error;
  }
  throw new Error(`${message} was understood`);
}

describe('what a sentence becomes', () => {
  test.each([
    ['a personal finance tracker', ['finance-tracker']],
    ['add a blog as a separate app, with a CMS', ['blog']],
    ['a finance tracker and a blog', ['finance-tracker', 'blog']],
    ['a finance tracker, a blog and a to-do list', ['finance-tracker', 'blog', 'task-board']],
    ['a blog about personal finance', ['blog']],
    ['a finance blog', ['blog']],
    ['Build me a KANBAN board with labels and a chart!', ['task-board']],
    ['track my money and bank accounts', ['finance-tracker']],
    ['I want a blog. The blog should have posts.', ['blog']],
    ['a búdget app', ['finance-tracker']],
  ])('%s', (message, expected) => {
    expect(architect(message, empty, blueprints).features.map((feature) => feature.blueprint)).toEqual(expected);
  });

  test('the first app of a project', () => {
    expect(architect('a personal finance tracker', empty, blueprints)).toEqual({
      version: 1,
      message: 'a personal finance tracker',
      features: [
        {
          id: 'personal-finance',
          title: 'Personal finance tracker',
          blueprint: 'finance-tracker',
          change: null,
          targetAppId: '$NEW:personal-finance',
          createsApp: { slug: 'personal-finance', kind: 'fullstack', name: 'Personal Finance' },
          services: ['react-frontend', 'trpc-api', 'postgres'],
          requires: [],
          subtasks: [
            expect.objectContaining({ id: 'personal-finance/schema' }),
            expect.objectContaining({ id: 'personal-finance/api' }),
            expect.objectContaining({ id: 'personal-finance/ui' }),
          ],
        },
      ],
    });
  });

  test('a sibling never aims at the app that exists', () => {
    const { features } = architect('Add a marketing blog next to my finance tracker', withFinance, blueprints);
    expect(features.map(({ targetAppId, createsApp }) => [targetAppId, createsApp?.slug])).toEqual([['$NEW:blog', 'blog']]);
    expect(features[0]?.services).toContain('directus');
  });

  test('a name in quotes is the display name', () => {
    expect(architect('a blog about gardens called “Roots & Shoots”', empty, blueprints).features[0]?.createsApp?.name).toBe('Roots & Shoots');
  });
});

describe('what is refused', () => {
  test.each([['a spaceship'], ['🚀'], ['x'.repeat(3000)], ['add a blog and another app that flies']])('%.40s names what would be understood', (message) => {
    const error = refusal(message);
    expect(error.type).toBe('NoBlueprint');
    expect(error.message).toMatch(/blog/);
  });

  test.each([
    ['a tracker', ['finance tracker', 'task board']],
    ['a finance tracker with a blog', ['finance tracker', 'blog']],
  ])('%s is ambiguous and names both', (message, names) => {
    const error = refusal(message);
    expect(error.type).toBe('NoBlueprint');
    for (const name of names) expect(error.message).toContain(name);
  });

  test('an app that is live already', () => {
    const error = refusal('a personal finance tracker', withFinance);
    expect(error.type).toBe('InvalidInput');
    expect(error.message).toContain('personal-finance');
  });

  test.each([[''], ['  \n '], ['y'.repeat(5000)]])('an empty or endless message', (message) => {
    expect(refusal(message).type).toBe('InvalidInput');
  });
});
