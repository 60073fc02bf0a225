/** `bucketPlanByAppId` is total: every subtask lands in its own app's bucket, or the plan is refused (I4). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { AppId, ProjectId } from '../../../shared/ids.ts';
import { bucketPlanByAppId } from '../../../shared/spec/buckets.ts';
import type { KnownApp, PlannedSubtask } from '../../../shared/spec/buckets.ts';

const project = 'qiwykfu39n' as ProjectId;
const app = (n: number, rest: Partial<KnownApp> = {}): KnownApp => ({ id: `a_${String(n).padStart(12, '0')}` as AppId, projectId: project, slug: `app-${String(n)}`, archived: false, ...rest });
const task = (appId: string | null, featureId = 'f1', id = 's1', position = 1): PlannedSubtask => ({ id, featureId, appId, position });

describe('what is no live app of the project is refused', () => {
  test.each([
    ['NULL', null],
    ['a sentinel', '$NEW:f1'],
    ['the empty text', ''],
    ['an archived app', app(2).id],
    ['another project\'s app', app(3).id],
    ['an app that nobody knows', app(9).id],
    ['a slug', 'app-1'],
    ['the primary by name', 'primary'],
  ])('%s', (_what, appId) => {
    const apps = [app(1), app(2, { archived: true }), app(3, { projectId: 'zzzzzzzzzz' as ProjectId })];
    expect(() => bucketPlanByAppId(project, [task(app(1).id), task(appId)], apps)).toThrow(expect.objectContaining({ type: 'UnresolvedTarget', details: { subtask: 's1', feature: 'f1' } }));
  });

  test('the refusal does not confirm that another project has the app', () => {
    const text = (appId: string): string => {
      try {
        bucketPlanByAppId(project, [task(appId)], [app(3, { projectId: 'zzzzzzzzzz' as ProjectId })]);
        return '';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(text(app(3).id)).toBe(text(app(9).id));
  });
});

test('no subtasks, no buckets: nothing falls to the only app', () => {
  expect(bucketPlanByAppId(project, [], [app(1)])).toEqual([]);
});

test('any plan of live apps: each subtask in exactly one bucket, its own; order of input does not matter', () => {
  const arbitrary = fc.array(fc.record({ app: fc.nat({ max: 5 }), feature: fc.nat({ max: 6 }) }), { maxLength: 40 });
  fc.assert(fc.property(arbitrary, (picks) => {
    const apps = [0, 1, 2, 3, 4, 5].map((n) => app(n));
    const subtasks = picks.map((pick, index) => task(app(pick.app).id, `f${String(pick.feature)}`, `s${String(index)}`));
    const buckets = bucketPlanByAppId(project, subtasks, apps);
    expect(new Set(buckets.map((bucket) => bucket.appId)).size).toBe(buckets.length);
    const pairs = new Set(subtasks.map((subtask) => `${String(subtask.appId)}/${subtask.featureId}`));
    expect(new Set(buckets.flatMap((bucket) => bucket.featureIds.map((feature) => `${bucket.appId}/${feature}`)))).toEqual(pairs);
    expect(bucketPlanByAppId(project, subtasks.toReversed(), apps.toReversed())).toEqual(buckets);
  }));
});

test('any single unresolved target spoils the whole plan, wherever it stands', () => {
  const bad = fc.oneof(fc.constant(null), fc.string().map((text) => `$NEW:${text}`), fc.string().filter((text) => text !== app(1).id));
  fc.assert(fc.property(fc.nat({ max: 8 }), fc.nat({ max: 8 }), bad, (length, at, target) => {
    const subtasks = Array.from({ length }, () => task(app(1).id));
    subtasks.splice(Math.min(at, length), 0, task(target));
    expect(() => bucketPlanByAppId(project, subtasks, [app(1)])).toThrow(expect.objectContaining({ type: 'UnresolvedTarget' }));
  }));
});

test('features of one bucket come in the order of the plan, by their first subtask, however the rows are read', () => {
  const rows = fc.uniqueArray(fc.record({ position: fc.nat({ max: 99 }), app: fc.nat({ max: 2 }), feature: fc.nat({ max: 5 }) }), { maxLength: 30, selector: ({ position }) => position });
  fc.assert(fc.property(rows, fc.infiniteStream(fc.double({ noNaN: true })), (picks, random) => {
    const apps = [0, 1, 2].map((n) => app(n));
    // A feature is one app's.
    const subtasks = picks.map(({ position, app: of, feature }) => task(app(of).id, `f${String(of)}-${String(feature)}`, `s${String(position)}`, position));
    const shuffled = subtasks.map((subtask) => ({ subtask, at: random.next().value as number })).sort((a, b) => a.at - b.at).map(({ subtask }) => subtask);
    for (const bucket of bucketPlanByAppId(project, shuffled, apps)) {
      const firsts = bucket.featureIds.map((id) => Math.min(...subtasks.filter(({ featureId }) => featureId === id).map(({ position }) => position)));
      expect(firsts).toEqual([...firsts].sort((a, b) => a - b));
    }
  }));
});
