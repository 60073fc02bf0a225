/** Plan revisions in a real database: each transition, and a plan that was edited between approval and generation (I4, I5). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readArchitectProject } from '../../../activities/records/architect-project.ts';
import { featuresOf, listRevisions } from '../../../activities/records/plan-revisions.ts';
import { materializedAppId } from '../../../shared/derive.ts';
import type { AppId, ProjectId, RevisionId } from '../../../shared/ids.ts';
import { CATALOG, changes, creates, planOf } from '../../support/plans.ts';
import { createRecordsWorld } from './records-world.ts';
import type { RecordsWorld } from './records-world.ts';

let world: RecordsWorld;
let projectId: ProjectId;
beforeAll(async () => { world = await createRecordsWorld(CATALOG); }, 60_000);
afterAll(async () => { await world.close(); }, 30_000);
beforeEach(async () => { projectId = await world.newProject(); });

const blogPlan = () => planOf(creates('blog', { services: ['react-frontend'] }));
const liveApp = async (slug: string): Promise<AppId> => {
  const found = (await readArchitectProject(world.database, projectId)).apps.find((app) => app.slug === slug && !app.archived);
  if (found === undefined) throw new Error(`${slug} is not live`);
  return found.id;
};

describe('a revision', () => {
  test('nothing → proposed: NULL for an app that is not there, the literal in no row', async () => {
    const revisionId = await world.propose(projectId, planOf(creates('blog'), changes('blog-tags', '$NEW:blog', { requires: ['blog'] })));
    const [revision] = await listRevisions(world.database, projectId);
    expect(revision).toMatchObject({ id: revisionId, number: 1, status: 'proposed', message: 'as a person said it', archived_at: null });
    expect(revision?.subtasks).toEqual([
      { featureId: 'blog', feature: 'blog', title: 'Make it', blueprint: 'blog', change: null, appId: null },
      { featureId: 'blog-tags', feature: 'blog-tags', title: 'Do it', blueprint: 'blog', change: 'tags', appId: null },
    ]);
    const [{ dump }] = await world.database.query<{ dump: string }>(`SELECT (SELECT json_agg(s) FROM plan_subtasks s)::text || (SELECT json_agg(r) FROM plan_revisions r)::text AS dump`) as [{ dump: string }];
    expect(dump).not.toContain('$NEW:');
  });

  test('proposed → approved, and again: a repeat; without an id the newest', async () => {
    const first = await world.propose(projectId, blogPlan());
    const second = await world.propose(projectId, planOf(creates('notes')));
    expect(await world.approve(projectId, first)).toBe(first);
    expect(await world.approve(projectId, first)).toBe(first);
    expect(await world.statuses(projectId)).toEqual(['approved', 'proposed']);
    expect(await world.approve(projectId)).toBe(second);
    expect(await world.statuses(projectId)).toEqual(['approved', 'approved']);
  });

  test('approved → active, then → done when another takes its place', async () => {
    await world.propose(projectId, blogPlan());
    await world.approve(projectId);
    await world.generate(projectId);
    expect(await world.statuses(projectId)).toEqual(['active']);
    await world.propose(projectId, planOf(changes('blog-tags', await liveApp('blog'))));
    await world.approve(projectId);
    await world.generate(projectId);
    expect(await world.statuses(projectId)).toEqual(['done', 'active']);
  });

  test('active → archived and done → active by an undo; archived → active by a redo; a later proposal is archived', async () => {
    await world.propose(projectId, blogPlan());
    await world.approve(projectId);
    await world.generate(projectId);
    const blog = await liveApp('blog');
    await world.propose(projectId, planOf(changes('blog-tags', blog)));
    await world.approve(projectId);
    await world.generate(projectId);
    await world.propose(projectId, planOf(changes('blog-search', blog, { change: 'search' })));
    expect((await readArchitectProject(world.database, projectId)).apps).toMatchObject([{ slug: 'blog', blueprint: 'blog', changes: ['tags'] }]);

    await world.restore(projectId, 'undo');
    expect(await world.statuses(projectId)).toEqual(['active', 'archived', 'archived']);
    expect((await readArchitectProject(world.database, projectId)).apps).toMatchObject([{ slug: 'blog', changes: [] }]);
    await world.restore(projectId, 'redo');
    expect(await world.statuses(projectId)).toEqual(['done', 'active', 'archived']);
    expect((await readArchitectProject(world.database, projectId)).apps).toMatchObject([{ slug: 'blog', changes: ['tags'] }]);
    expect((await listRevisions(world.database, projectId)).map((revision) => revision.archived_at !== null)).toEqual([false, false, true]);
  });

  test.each(['active', 'done', 'archived'])('%s is approved no more, and no door generates it again', async (status) => {
    const revisionId = await world.propose(projectId, blogPlan());
    await world.database.query('UPDATE plan_revisions SET status = $2 WHERE id = $1', [revisionId, status]);
    await expect(world.approve(projectId, revisionId)).rejects.toMatchObject({ type: 'PreconditionFailed' });
    await expect(world.generate(projectId, revisionId)).rejects.toMatchObject({ type: 'PreconditionFailed' });
  });

  test('another project\'s revision is as unknown as one that never was', async () => {
    const revisionId = await world.propose(projectId, blogPlan());
    const other = await world.newProject();
    await expect(world.approve(other, revisionId)).rejects.toMatchObject({ type: 'NotFound' });
    await expect(world.approve(other, 'rev_zzzzzzzzzzzz' as RevisionId)).rejects.toMatchObject({ type: 'NotFound' });
    await expect(world.generate(other, revisionId)).rejects.toMatchObject({ type: 'PreconditionFailed' });
  });
});

describe('what a generation reads back', () => {
  const approved = async (document: unknown) => {
    const revisionId = await world.propose(projectId, document);
    await world.approve(projectId, revisionId);
    return revisionId;
  };

  test.each<[string, (plan: ReturnType<typeof blogPlan>, foreign: AppId) => unknown]>([
    ['nonsense', () => ({ anything: true })],
    ['a newer version', (plan) => ({ ...plan, version: 2 })],
    ['a slug that leaves the tree', (plan) => ({ ...plan, features: [creates('blog', { createsApp: { slug: '../x', kind: 'react', name: 'x' } })] })],
    ['another project\'s app', (plan, foreign) => ({ ...plan, features: [changes('blog', foreign)] })],
    ['a sentinel that nobody creates', (plan) => ({ ...plan, features: [changes('blog', '$NEW:ghost')] })],
    ['an unknown service', (plan) => ({ ...plan, features: [creates('blog', { services: ['redis'] })] })],
  ])('%s: refused with all reasons, no row of it changed, nothing pending', async (_what, edit) => {
    const foreigner = await world.newProject();
    const revision = await world.propose(foreigner, blogPlan());
    await world.approve(foreigner, revision);
    await world.generate(foreigner);
    const revisionId = await approved(blogPlan());
    const before = await listRevisions(world.database, projectId);
    world.proposals.set(revisionId, edit(blogPlan(), materializedAppId(foreigner, revision, 'blog')));
    const { current: _current, ...fenced } = await world.claim(projectId, 'generate');
    await expect(world.records.planGeneration(fenced)).rejects.toMatchObject({ type: 'PlanRefused' });
    expect(await listRevisions(world.database, projectId)).toEqual(before);
    expect(await world.records.pendingOf(fenced)).toEqual({ apps: [], services: [] });
  });

  test('a slug that was free when it was proposed and is taken now', async () => {
    const first = await approved(blogPlan());
    const second = await approved(blogPlan());
    await world.generate(projectId, first);
    const { current: _current, ...fenced } = await world.claim(projectId, 'generate');
    await expect(world.records.planGeneration({ ...fenced, revisionId: second })).rejects.toMatchObject({ type: 'PlanRefused', details: { reasons: [{ code: 'slug-taken' }] } });
  });

  test('a good edit is built: rows follow the document, in the order of its requirements', async () => {
    const revisionId = await approved(planOf(creates('blog'), changes('blog-tags', '$NEW:blog')));
    world.proposals.set(revisionId, planOf(changes('blog-search', '$NEW:blog', { change: 'search', requires: ['blog-tags'] }), changes('blog-tags', '$NEW:blog'), creates('blog')));
    const { current: _current, ...fenced } = await world.claim(projectId, 'generate');
    const plan = await world.records.planGeneration(fenced);
    expect(plan.creates.map(({ slug }) => slug)).toEqual(['blog']);
    for (const app of plan.creates) await world.records.ensurePendingApp({ ...fenced, app, revisionId });
    await world.records.resolveCreatesAppSentinels({ ...fenced, revisionId });
    // A slow first attempt that arrives late takes nothing back, and what a person edits now concerns the next generation.
    world.proposals.set(revisionId, { anything: true });
    await expect(world.records.planGeneration(fenced)).rejects.toMatchObject({ type: 'PlanRefused' });
    await world.records.resolveCreatesAppSentinels({ ...fenced, revisionId });
    const [bucket, ...others] = await world.records.bucketPlan({ ...fenced, revisionId });
    expect(others).toEqual([]);
    expect(bucket).toEqual({ appId: materializedAppId(projectId, revisionId, 'blog'), slug: 'blog', featureIds: ['blog', 'blog-tags', 'blog-search'] });
    expect((await featuresOf(world.database, revisionId, bucket?.featureIds ?? [])).map(({ id, change }) => [id, change])).toEqual([['blog', null], ['blog-tags', 'tags'], ['blog-search', 'search']]);
    expect((await world.records.pendingOf(fenced)).apps).toEqual([bucket?.appId]);
  });

  test('a repeat after the sentinels were resolved keeps what they were resolved to', async () => {
    const revisionId = await approved(blogPlan());
    const { current: _current, ...fenced } = await world.claim(projectId, 'generate');
    const { creates: [app] } = await world.records.planGeneration(fenced);
    if (app === undefined) throw new Error('nothing to create');
    await world.records.ensurePendingApp({ ...fenced, app, revisionId });
    await world.records.resolveCreatesAppSentinels({ ...fenced, revisionId });
    await world.records.planGeneration(fenced);
    expect(await world.records.bucketPlan({ ...fenced, revisionId })).toMatchObject([{ appId: app.appId }]);
    await world.records.dropPendingApp({ ...fenced, appId: app.appId });
    expect((await listRevisions(world.database, projectId))[0]?.subtasks.map(({ appId }) => appId)).toEqual([null]);
    await expect(world.records.bucketPlan({ ...fenced, revisionId })).rejects.toMatchObject({ type: 'UnresolvedTarget' });
  });
});
