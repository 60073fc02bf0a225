/**
 * The seed's story on real engines: a finance tracker, a blog with a CMS beside it, undo, redo.
 * Each step acts through the client and then reads its evidence from the stores.
 */
import type { OpenRuntime } from '../../client/open.ts';
import { readTimeline } from '../../client/reads.ts';
import type { Started } from '../../client/runtime.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { RestorePlan } from '../../shared/restore/plan.ts';
import { expectList, expectOk, expectThat } from './expect.ts';
import { openWorld } from './world.ts';
import type { World } from './world.ts';

export type Evidence = Readonly<Record<string, unknown>>;

export interface Teller {
  /** Runs one step, times it and reports it with its evidence. */
  step(name: string, what: string, work: () => Promise<Evidence>): Promise<void>;
  follow<T>(started: Started<T>): Promise<T>;
  plan(plan: RestorePlan): void;
}

export interface Told {
  readonly projectId: ProjectId;
  readonly urls: readonly string[];
}

const DEPLOYMENTS_ONE = ['app', 'neon-compute'];
const DEPLOYMENTS_TWO = ['app', 'app-blog', 'directus', 'neon-compute'];
const POST = { title: 'Hello from Directus', slug: 'hello', body: 'The first post of the blog.', status: 'published', author: 'Ada', date_published: '2026-01-02T09:00:00' };

export async function tellStory(open: OpenRuntime, teller: Teller): Promise<Told> {
  const { runtime, platform } = open;
  const done = async (started: Started<OperationOutcome>): Promise<OperationOutcome> => {
    const outcome = await teller.follow(started);
    if (outcome.outcome === 'unchanged' || outcome.health !== 'healthy') {
      throw new AdorableError('VerifyFailed', `${outcome.message} ${outcome.degraded.map((part) => `${part.name}: ${part.reason}`).join('; ')}`);
    }
    return outcome;
  };

  let projectId = '' as ProjectId;
  await teller.step('new', 'a project: repository, timeline, namespace, compute', async () => {
    const started = await runtime.createProject('Home');
    projectId = started.projectId;
    await done(started);
    return { projectId };
  });
  const world = openWorld(platform, projectId);
  try {
    await firstApp(open, teller, { world, projectId, done });
    await secondApp(open, teller, { world, projectId, done });
    await undoAndRedo(open, teller, { world, projectId, done });
    return { projectId, urls: [world.url('personal-finance'), world.url('blog'), world.url('directus')] };
  } finally {
    await world.close();
  }
}

interface Chapter {
  readonly world: World;
  readonly projectId: ProjectId;
  readonly done: (started: Started<OperationOutcome>) => Promise<OperationOutcome>;
}

async function firstApp({ runtime }: OpenRuntime, teller: Teller, { world, projectId, done }: Chapter): Promise<void> {
  await teller.step('chat-finance', 'chat "a personal finance tracker"', async () => {
    const { plan, revisionId } = await runtime.chat(projectId, 'a personal finance tracker');
    return { revisionId, features: plan.features.map((feature) => ({ title: feature.title, target: feature.targetAppId, creates: feature.createsApp?.slug })) };
  });
  await teller.step('generate-finance', 'approved: tree, rows, schema, pods, page and API', async () => {
    await done(await runtime.approvePlan(projectId));
    expectList(await world.appDirs(), ['personal-finance'], 'apps/ at HEAD');
    expectList(await world.names('deployments'), DEPLOYMENTS_ONE, 'Deployments');
    const page = expectOk(await world.http('personal-finance', '/'), 'the page');
    expectThat(page.body.includes('/src/main.tsx'), 'the page is served by Vite', page.body.slice(0, 200));
    const health = expectOk(await world.http('personal-finance', '/trpc/health'), 'the API').json<unknown>();
    const migrations = await world.sql<{ name: string }>('SELECT name FROM adorable_meta.migrations ORDER BY name');
    return { url: world.url('personal-finance'), apps: await world.appDirs(), deployments: await world.names('deployments'), migrations: migrations.map((row) => row.name), health, commit: await world.commit() };
  });
  await teller.step('write-two', 'two transactions through the API', async () => {
    await addTransaction(world, 'Salary for January', 320_000);
    await addTransaction(world, 'Weekly groceries', -8450);
    const rows = await transactions(world);
    expectList(rows, ['Salary for January', 'Weekly groceries'], 'transactions in SQL');
    return { transactions: rows };
  });
}

async function secondApp({ runtime }: OpenRuntime, teller: Teller, { world, projectId, done }: Chapter): Promise<void> {
  await teller.step('chat-blog', 'chat "add a blog as a separate app, with a CMS"', async () => {
    const { plan, revisionId } = await runtime.chat(projectId, 'add a blog as a separate app, with a CMS');
    const blog = plan.features.find((feature) => feature.createsApp?.slug === 'blog');
    expectThat(blog?.targetAppId === `$NEW:${blog?.id ?? ''}`, 'the blog targets a sentinel, not the primary app', plan.features);
    return { revisionId, features: plan.features.map((feature) => ({ title: feature.title, target: feature.targetAppId, creates: feature.createsApp, services: feature.services })) };
  });
  await teller.step('generate-blog', 'approved: a second app and Directus, deployed in tiers', async () => {
    await done(await runtime.approvePlan(projectId));
    expectList(await world.appDirs(), ['blog', 'personal-finance'], 'apps/ at HEAD');
    expectList(await world.names('deployments'), DEPLOYMENTS_TWO, 'Deployments');
    expectOk(await world.http('blog', '/'), 'the blog');
    expectOk(await world.http('directus', '/server/health'), 'Directus');
    expectList(await transactions(world), ['Salary for January', 'Weekly groceries'], 'transactions in SQL');
    const schemas = await world.sql<{ name: string }>(`SELECT nspname AS name FROM pg_namespace WHERE nspname = 'directus' OR nspname LIKE 'a\\_%' ORDER BY 1`);
    return { url: world.url('blog'), cms: world.url('directus'), apps: await world.appDirs(), deployments: await world.names('deployments'), schemas: schemas.map((row) => row.name), commit: await world.commit() };
  });
  await teller.step('post', 'a post written in Directus, shown to the blog', async () => {
    const token = await world.secret('directus-env', 'ADMIN_TOKEN');
    expectOk(await world.http('directus', '/items/posts', { method: 'POST', body: POST, headers: { authorization: `Bearer ${token}` } }), 'writing the post');
    return { posts: await blogPosts(world) };
  });
  await teller.step('write-third', 'a third transaction', async () => {
    await addTransaction(world, 'Concert tickets', -12_000);
    const rows = await transactions(world);
    expectThat(rows.length === 3, 'three transactions in SQL', rows);
    return { transactions: rows };
  });
}

async function undoAndRedo({ runtime, database }: OpenRuntime, teller: Teller, { world, projectId, done }: Chapter): Promise<void> {
  let digest = '';
  let moment: string | undefined;
  await teller.step('undo-plan', 'what undo changes and deletes in each store', async () => {
    moment = (await runtime.verify(projectId)).momentDigest;
    const plan = await runtime.planRestore(projectId, 'undo');
    digest = plan.digest;
    teller.plan(plan);
    expectThat(plan.archiveApps.some((app) => app.slug === 'blog'), 'the plan archives the blog', plan.archiveApps);
    expectThat(plan.deprovisionServices.includes('directus'), 'the plan deprovisions directus', plan.deprovisionServices);
    const lost = plan.rows?.find((row) => row.table.endsWith('.transactions'));
    expectThat(lost?.now === 3 && lost.then === 2, 'the plan counts one lost transaction', plan.rows);
    return { digest, target: plan.target.checkpointId, rows: plan.rows, code: plan.code };
  });
  await teller.step('undo', 'git, data, rows and namespace to the moment before the blog', async () => {
    const outcome = await done(await runtime.restore(projectId, 'undo', { expect: digest }));
    expectList(await world.appDirs(), ['personal-finance'], 'apps/ at HEAD');
    expectList(await world.names('deployments'), DEPLOYMENTS_ONE, 'Deployments');
    expectThat(!(await world.names('ingresses')).some((name) => name.includes('blog') || name.includes('directus')), 'no Ingress of the blog or Directus', await world.names('ingresses'));
    const blog = await world.http('blog', '/');
    expectThat(blog.status === 404, 'the blog is gone from the gateway', blog.status);
    const rows = await transactions(world);
    expectList(rows, ['Salary for January', 'Weekly groceries'], 'transactions in SQL');
    const apps = await database.query<{ slug: string; archived: boolean }>('SELECT slug, archived_at IS NOT NULL AS archived FROM project_apps WHERE project_id = $1 ORDER BY slug', [projectId]);
    expectThat(apps.some((app) => app.slug === 'blog' && app.archived), 'the blog row is archived, not deleted', apps);
    expectOk(await world.http('personal-finance', '/trpc/health'), 'the finance API');
    const current = (await readTimeline(database, projectId)).filter((entry) => entry.current).map((entry) => entry.id);
    return { receipt: outcome.receipt, transactions: rows, deployments: await world.names('deployments'), blog: blog.status, rows: apps, current, redo: outcome.undo };
  });
  await teller.step('redo', 'forward again to the pre-restore snapshot', async () => {
    const outcome = await done(await runtime.restore(projectId, 'redo'));
    expectList(await world.appDirs(), ['blog', 'personal-finance'], 'apps/ at HEAD');
    expectList(await world.names('deployments'), DEPLOYMENTS_TWO, 'Deployments');
    const rows = await transactions(world);
    expectThat(rows.includes('Concert tickets') && rows.length === 3, 'the third transaction is back', rows);
    expectOk(await world.http('blog', '/'), 'the blog');
    return { receipt: outcome.receipt, transactions: rows, posts: await blogPosts(world), deployments: await world.names('deployments') };
  });
  await teller.step('verify', 'every store read back once more', async () => {
    const receipt = await runtime.verify(projectId);
    expectThat(receipt.ok, 'the stores hold the moment', receipt.differences);
    expectThat(receipt.momentDigest === moment, 'the moment is the one that was left, Directus included', receipt.momentDigest);
    return { receipt };
  });
}

export async function addTransaction(world: World, description: string, amountCents: number): Promise<void> {
  expectOk(await world.http('personal-finance', '/trpc/transactions.create', { method: 'POST', body: { description, amountCents } }), `writing ${description}`);
}

/** Descriptions in SQL, oldest first, from the one app schema that has the table. */
export async function transactions(world: World): Promise<string[]> {
  const [schema] = await world.sql<{ name: string }>(`SELECT quote_ident(schemaname) AS name FROM pg_tables WHERE tablename = 'transactions' AND schemaname LIKE 'a\\_%'`);
  if (schema === undefined) return [];
  return (await world.sql<{ description: string }>(`SELECT description FROM ${schema.name}.transactions ORDER BY id`)).map((row) => row.description);
}

/** The blog page's own data request, with the Origin that a browser sends. */
async function blogPosts(world: World): Promise<string[]> {
  const answer = expectOk(await world.http('directus', '/items/posts?filter[status][_eq]=published&sort=-date_published,-id&fields=id,title,slug,body,author,date_published&limit=50', { headers: { origin: world.url('blog') } }), "the blog's data request");
  const titles = answer.json<{ data: { title: string }[] }>().data.map((post) => post.title);
  expectThat(titles.includes(POST.title), 'the post is there', titles);
  return titles;
}
