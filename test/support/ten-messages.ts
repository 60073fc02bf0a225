/**
 * Ten chat messages that build a project of four apps with their services, and what must hold after
 * each: read through the gateway and from the stores, never from what a step said of itself.
 */
import type { OpenRuntime } from '../../client/open.ts';
import type { World } from '../../cli/story/world.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';

export interface Message {
  readonly text: string;
  /** Slugs that are live from here on. */
  readonly apps: readonly string[];
  /** Of those that were there, the ones whose pods are replaced: what changed; all, when one learns of a new service or its data is migrated. */
  readonly restarts: readonly string[];
  /** Asks the new thing itself; throws or answers what a test compares. */
  readonly fact: (world: World) => Promise<unknown>;
  readonly expected: unknown;
}

const FULLSTACK = new Set(['personal-finance', 'task-board']);

async function ask<T>(world: World, app: string, path: string, body?: unknown): Promise<T> {
  const answer = await world.http(app, path, body === undefined ? {} : { method: 'POST', body });
  if (answer.status !== 200) throw new Error(`${app}${path} answered ${String(answer.status)}: ${answer.body.slice(0, 300)}`);
  return answer.json<T>();
}

const input = (value: unknown): string => `?input=${encodeURIComponent(JSON.stringify(value))}`;
const result = async <T>(world: World, app: string, path: string, body?: unknown): Promise<T> => (await ask<{ result: { data: T } }>(world, app, path, body)).result.data;

async function post(world: World): Promise<{ tags: string[] }[]> {
  const token = await world.secret('directus-env', 'ADMIN_TOKEN');
  const written = await world.http('directus', '/items/posts', {
    method: 'POST', body: { title: 'Ten messages', slug: 'ten-messages', body: 'Hello.', status: 'published', tags: ['Garden', 'tools'] }, headers: { authorization: `Bearer ${token}` },
  });
  if (written.status !== 200) throw new Error(`the post was refused with ${String(written.status)}`);
  return (await ask<{ data: { tags: string[] }[] }>(world, 'directus', '/items/posts?filter[status][_eq]=published&fields=id,title,tags')).data;
}

const source = async (world: World, app: string, path: string, text: string): Promise<boolean> => (await world.http(app, path)).body.includes(text);

export const MESSAGES: readonly Message[] = [
  {
    text: 'a personal finance tracker', apps: ['personal-finance'], restarts: [],
    fact: async (world) => (await result<{ amountCents: number }>(world, 'personal-finance', '/trpc/transactions.create', { description: 'Weekly groceries', amountCents: -4200 })).amountCents, expected: -4200,
  },
  {
    text: 'add a task board', apps: ['personal-finance', 'task-board'], restarts: [],
    fact: async (world) => (await result<{ title: string }>(world, 'task-board', '/trpc/cards.create', { title: 'Water the plants' })).title, expected: 'Water the plants',
  },
  {
    text: 'let me export the transactions as CSV', apps: ['personal-finance', 'task-board'], restarts: ['personal-finance'],
    fact: async (world) => (await result<{ csv: string }>(world, 'personal-finance', `/trpc/downloads.transactions${input({})}`)).csv.split('\r\n')[1]?.slice(10), expected: ',Weekly groceries,Other,Everyday,-42.00',
  },
  {
    text: 'add budgets to the finance tracker', apps: ['personal-finance', 'task-board'], restarts: ['personal-finance', 'task-board'],
    fact: async (world) => {
      await result(world, 'personal-finance', '/trpc/budgets.set', { categoryId: 4, limitCents: 25_000 });
      return (await result<{ name: string; limitCents: number | null }[]>(world, 'personal-finance', `/trpc/budgets.list${input({ month: '2026-01' })}`))[0];
    },
    expected: { categoryId: 4, name: 'Groceries', colour: '#b45309', limitCents: 25_000, spentCents: 0 },
  },
  {
    text: 'add a blog as a separate app, with a CMS', apps: ['blog', 'personal-finance', 'task-board'], restarts: ['personal-finance', 'task-board'],
    fact: async (world) => (await ask<{ data: unknown[] }>(world, 'directus', '/items/posts')).data, expected: [],
  },
  {
    text: 'add tags to the blog', apps: ['blog', 'personal-finance', 'task-board'], restarts: ['blog'],
    fact: async (world) => ({ posts: await post(world), isAsked: await source(world, 'blog', '/src/posts.ts', 'date_published,tags') }), expected: { posts: [{ id: 1, title: 'Ten messages', tags: ['Garden', 'tools'] }], isAsked: true },
  },
  {
    text: 'a portfolio called "Ada Lovelace" with a dark mode', apps: ['blog', 'personal-finance', 'portfolio', 'task-board'], restarts: [],
    fact: async (world) => [await source(world, 'portfolio', '/', '<title>Ada Lovelace</title>'), await source(world, 'portfolio', '/src/app.tsx', 'ThemeSwitch')], expected: [true, true],
  },
  {
    text: 'let me archive cards on the task board', apps: ['blog', 'personal-finance', 'portfolio', 'task-board'], restarts: ['blog', 'personal-finance', 'portfolio', 'task-board'],
    fact: async (world) => {
      await result(world, 'task-board', '/trpc/archive.put', { id: 1 });
      return [(await result<unknown[]>(world, 'task-board', '/trpc/cards.list')).length, (await result<{ title: string }[]>(world, 'task-board', '/trpc/archive.list'))[0]?.title];
    },
    expected: [0, 'Water the plants'],
  },
  {
    text: 'let me search the blog', apps: ['blog', 'personal-finance', 'portfolio', 'task-board'], restarts: ['blog'],
    fact: async (world) => [await source(world, 'blog', '/src/post-list.tsx', 'SearchBox'), await source(world, 'blog', '/src/post-list.tsx', 'TagBar')], expected: [true, true],
  },
  {
    text: 'use a palette for colour-blind people in the finance tracker', apps: ['blog', 'personal-finance', 'portfolio', 'task-board'], restarts: ['blog', 'personal-finance', 'portfolio', 'task-board'],
    fact: async (world) => ({
      colours: (await result<{ name: string; colour: string }[]>(world, 'personal-finance', '/trpc/categories.list')).filter(({ name }) => name === 'Groceries' || name === 'Housing').map(({ colour }) => colour),
      isKept: await source(world, 'personal-finance', '/src/app.tsx', 'My accounts'),
    }),
    // A person recoloured Housing and renamed a panel in between: both stay.
    expected: { colours: ['#123456', '#e69f00'], isKept: true },
  },
];

/** Proposes, approves and generates. */
export async function say({ runtime }: OpenRuntime, projectId: ProjectId, text: string): Promise<OperationOutcome> {
  const { revisionId } = await runtime.chat(projectId, text);
  return await (await runtime.approvePlan(projectId, revisionId)).result;
}

/** Every app's page and, where there is one, its API: statuses other than 200, by name. */
export async function silent(world: World, apps: readonly string[]): Promise<string[]> {
  const asked = apps.flatMap((app) => ['/', ...(FULLSTACK.has(app) ? ['/trpc/health'] : [])].map((path) => ({ app, path })));
  const answers = await Promise.all(asked.map(async ({ app, path }) => ({ app, path, status: (await world.http(app, path)).status })));
  return answers.filter(({ status }) => status !== 200).map(({ app, path, status }) => `${app}${path}: ${String(status)}`);
}
