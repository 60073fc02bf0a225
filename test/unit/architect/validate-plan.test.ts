/** A plan is held against its project as one document: all reasons at once, and what passes can be built (I4, I5). */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PlanReasonCode } from '../../../shared/architect/parse-plan.ts';
import { orderFeatures } from '../../../shared/architect/order-features.ts';
import type { ArchitectProject } from '../../../shared/architect/plan.ts';
import { reasonsOf, validatePlan } from '../../../shared/architect/validate-plan.ts';
import { AdorableError } from '../../../shared/errors.ts';
import { appOf, CATALOG, changes, creates, planOf, projectOf } from '../../support/plans.ts';

const blog = appOf(1, 'blog');
const gone = appOf(2, 'gone', { archived: true });
const tracker = appOf(3, 'money', { blueprint: 'tracker', kind: 'fullstack' });
const project = projectOf(blog, gone, tracker);

function refusal(document: unknown, against: ArchitectProject = project): AdorableError {
  try {
    validatePlan(document, against, CATALOG);
  } catch (error) {
    if (error instanceof AdorableError) return error;
    throw error;
  }
  throw new Error('the plan was taken');
}

describe('what fits', () => {
  test.each<[string, readonly unknown[]]>([
    ['an app to be', [creates('notes')]],
    ['two apps and a service', [creates('notes', { services: ['react-frontend', 'postgres', 'directus'] }), creates('essays')]],
    ['an app and its sibling feature under one sentinel', [creates('notes'), changes('notes-tags', '$NEW:notes', { requires: ['notes'] })]],
    ['a change of a live app', [changes('blog-tags', blog.id)]],
    ['an archived app\'s slug', [creates('gone')]],
  ])('%s', (_what, features) => {
    expect(validatePlan(planOf(...features), project, CATALOG).features).toEqual(features);
  });

  test('features come out in the order in which they are built, whatever the document says', () => {
    const plan = planOf(changes('notes-search', '$NEW:notes', { change: 'search', requires: ['notes-tags'] }), changes('notes-tags', '$NEW:notes'), creates('notes'));
    expect(validatePlan(plan, project, CATALOG).features.map(({ id }) => id)).toEqual(['notes', 'notes-tags', 'notes-search']);
  });
});

describe('what is refused', () => {
  const long = 'x'.repeat(41);
  test.each<[string, PlanReasonCode, readonly unknown[]]>([
    ['an unknown app', 'unknown-app', [changes('f', 'a_999999999999')]],
    ['another project\'s app, in the same words as an unknown one', 'unknown-app', [changes('f', 'a_888888888888')]],
    ['a slug instead of an id', 'unknown-app', [changes('f', 'blog')]],
    ['the primary by name', 'unknown-app', [changes('f', 'primary')]],
    ['no target', 'unknown-app', [changes('f', '')]],
    ['an archived app', 'archived-app', [changes('f', gone.id)]],
    ['a sentinel that nobody creates', 'sentinel-without-creator', [changes('f', '$NEW:notes')]],
    ['a sentinel of a feature that creates nothing', 'sentinel-without-creator', [changes('a', blog.id), changes('f', '$NEW:a', { change: 'search' })]],
    ['a sentinel without createsApp', 'sentinel-without-creator', [{ ...creates('notes'), createsApp: undefined }]],
    ['createsApp that aims at a live app', 'creator-without-sentinel', [creates('notes', { targetAppId: blog.id })]],
    ['createsApp that aims at another sentinel', 'creator-without-sentinel', [creates('notes'), creates('essays', { targetAppId: '$NEW:notes' })]],
    ['two apps with one slug', 'duplicate-slug', [creates('one', { createsApp: { slug: 'same', kind: 'react', name: 'A' } }), creates('two', { createsApp: { slug: 'same', kind: 'react', name: 'B' } })]],
    ['two slugs that look alike', 'slug-look-alike', [creates('log'), creates('one', { createsApp: { slug: 'l0g', kind: 'react', name: 'A' } })]],
    ['a live app\'s slug', 'slug-taken', [creates('blog')]],
    ['a slug in other case', 'slug-look-alike', [creates('one', { createsApp: { slug: 'Blog', kind: 'react', name: 'A' } })]],
    ['a slug in Cyrillic', 'slug-look-alike', [creates('one', { createsApp: { slug: 'blоg', kind: 'react', name: 'A' } })]],
    ['a slug in full width', 'slug-look-alike', [creates('one', { createsApp: { slug: 'ｂｌｏｇ', kind: 'react', name: 'A' } })]],
    ['a slug with one dash more', 'slug-look-alike', [creates('one', { createsApp: { slug: 'b-log', kind: 'react', name: 'A' } })]],
    ['a slug in other case, for what it is', 'slug', [creates('one', { createsApp: { slug: 'Notes', kind: 'react', name: 'A' } })]],
    ['a reserved slug', 'slug', [creates('one', { createsApp: { slug: 'neon-compute', kind: 'react', name: 'A' } })]],
    ['a slug that leaves the tree', 'slug', [creates('one', { createsApp: { slug: '../blog', kind: 'react', name: 'A' } })]],
    ['a slug that is too long', 'slug', [creates('one', { createsApp: { slug: long, kind: 'react', name: 'A' } })]],
    ['SQL in a slug', 'slug', [creates('one', { createsApp: { slug: '\'; DROP TABLE projects; --', kind: 'react', name: 'A' } })]],
    ['a slug that is a catalog service', 'slug-is-service', [creates('directus')]],
    ['a slug that is a built-in service', 'slug-is-service', [creates('react-frontend')]],
    ['an unknown blueprint', 'unknown-blueprint', [creates('notes', { blueprint: 'rocket' })]],
    ['a kind that the blueprint is not', 'wrong-kind', [creates('notes', { createsApp: { slug: 'notes', kind: 'fullstack', name: 'A' } })]],
    ['an unknown change', 'unknown-change', [changes('f', blog.id, { change: 'rockets' })]],
    ['a change of another blueprint', 'wrong-blueprint', [changes('f', tracker.id)]],
    ['a blueprint over a live app', 'overwrites-app', [changes('f', blog.id, { change: null })]],
    ['a blueprint over an app to be', 'overwrites-app', [creates('notes'), changes('f', '$NEW:notes', { change: null })]],
    ['a creation that is also a change', 'overwrites-app', [creates('notes', { change: 'tags' })]],
    ['one change twice', 'duplicate-change', [changes('f', blog.id), changes('g', blog.id)]],
    ['an unknown service', 'unknown-service', [changes('f', blog.id, { services: ['redis'] })]],
    ['a service without what it requires', 'missing-service', [creates('notes', { services: ['trpc-api'] })]],
    ['two features with one id', 'duplicate-feature', [changes('f', blog.id), changes('f', blog.id, { change: 'search', subtasks: [{ id: 'f/else', title: 'x' }] })]],
    ['two subtasks with one id', 'duplicate-subtask', [changes('f', blog.id), changes('g', blog.id, { change: 'search', subtasks: [{ id: 'f/do', title: 'x' }] })]],
    ['an unknown requirement', 'unknown-requirement', [changes('f', blog.id, { requires: ['nothing'] })]],
    ['a requirement of another app', 'requirement-of-another-app', [changes('f', blog.id, { requires: ['g'] }), changes('g', tracker.id, { blueprint: 'tracker', change: 'budgets' })]],
    ['a feature that waits for itself', 'cyclic-requirement', [changes('f', blog.id, { requires: ['f'] })]],
    ['two that wait for each other', 'cyclic-requirement', [changes('f', blog.id, { requires: ['g'] }), changes('g', blog.id, { change: 'search', requires: ['f'] })]],
    ['an app that waits for what changes it', 'cyclic-requirement', [creates('notes', { requires: ['f'] }), changes('f', '$NEW:notes')]],
  ])('%s', (_what, code, features) => {
    const against = code === 'missing-service' ? { ...project, services: [] } : project;
    expect(reasonsOf(refusal(planOf(...features), against)).map((reason) => reason.code)).toContain(code);
  });

  test('a change that the app carries already', () => {
    expect(reasonsOf(refusal(planOf(changes('f', blog.id)), projectOf({ ...blog, changes: ['tags'] })))).toMatchObject([{ code: 'change-present', at: 'features.0.change' }]);
  });

  test.each<[string, PlanReasonCode, unknown]>([
    ['a newer version', 'version', { ...planOf(creates('notes')), version: 2 }],
    ['no version', 'shape', { message: 'x', features: [creates('notes')] }],
    ['no features', 'shape', planOf()],
    ['a field that nobody knows', 'shape', planOf({ ...creates('notes'), defaultAppId: blog.id })],
    ['a feature without subtasks: nobody\'s bucket would have it', 'shape', planOf(creates('notes', { subtasks: [] }))],
    ['an id in upper case', 'shape', planOf(creates('Notes'))],
    ['an id that leaves its ref', 'shape', planOf(creates('../notes'))],
    ['a name with a line break', 'shape', planOf(creates('notes', { createsApp: { slug: 'notes', kind: 'react', name: 'a\nb' } }))],
    ['a name that turns the text around', 'shape', planOf(creates('notes', { createsApp: { slug: 'notes', kind: 'react', name: 'a\u202eb' } }))],
    ['a kind that nobody knows', 'shape', planOf({ ...creates('notes'), createsApp: { slug: 'notes', kind: 'native', name: 'A' } })],
    ['a list', 'shape', []], ['null', 'shape', null], ['text', 'shape', 'a blog'], ['nothing', 'shape', undefined],
  ])('%s', (_what, code, document) => {
    expect(reasonsOf(refusal(document)).map((reason) => reason.code)).toContain(code);
  });

  test('all reasons at once, each with its place, in one refusal', () => {
    const document = planOf(creates('directus', { services: ['redis'] }), changes('f', gone.id), changes('g', '$NEW:nobody', { requires: ['h'] }));
    const error = refusal(document);
    expect(error.type).toBe('PlanRefused');
    expect(reasonsOf(error).map(({ code, at }) => [code, at])).toEqual([
      ['archived-app', 'features.1.targetAppId'], ['sentinel-without-creator', 'features.2.targetAppId'], ['slug-is-service', 'features.0.createsApp.slug'],
      ['unknown-service', 'features.0.services'], ['unknown-requirement', 'features.2.requires'],
    ]);
    for (const { message } of reasonsOf(error)) expect(error.message).toContain(message);
  });

  test('the refusal does not tell that another project has the app', () => {
    const words = (id: string) => refusal(planOf(changes('f', id))).message.replaceAll(id, 'ID');
    expect(words('a_888888888888')).toBe(words('a_999999999999'));
  });
});

describe('any document', () => {
  test('is taken or refused with its reasons, never anything else', () => {
    const anything = fc.oneof(fc.anything(), fc.record({ version: fc.constant(1), message: fc.string(), features: fc.array(fc.oneof(fc.anything(), fc.constant(creates('notes')), fc.constant(changes('f', blog.id)))) }));
    fc.assert(fc.property(anything, (document) => {
      try {
        validatePlan(document, project, CATALOG);
      } catch (error) {
        expect(error).toMatchObject({ type: 'PlanRefused' });
        expect(reasonsOf(error).length).toBeGreaterThan(0);
      }
    }), { numRuns: 500 });
  });

  test('what is taken aims only at live apps of the project or at apps that it creates, once each', () => {
    const target = fc.constantFrom(blog.id, tracker.id, gone.id, 'a_999999999999', '$NEW:one', '$NEW:two', '$NEW:ghost', 'primary', '');
    const feature = fc.oneof(
      fc.record({ id: fc.constantFrom('one', 'two'), slug: fc.constantFrom('one', 'two', 'blog', 'gone', 'directus') }).map(({ id, slug }) => creates(id, { createsApp: { slug, kind: 'react', name: 'x' } })),
      fc.record({ id: fc.constantFrom('c1', 'c2', 'c3'), to: target, change: fc.constantFrom('tags', 'search', 'budgets') }).map(({ id, to, change }) => changes(id, to, { change })),
    );
    let taken = 0;
    fc.assert(fc.property(fc.array(feature, { minLength: 1, maxLength: 4 }), (features) => {
      let plan;
      try {
        plan = validatePlan(planOf(...features), project, CATALOG);
      } catch {
        return;
      }
      taken += 1;
      const made = plan.features.filter(({ createsApp }) => createsApp !== undefined);
      const slugs = [...made.map(({ createsApp }) => createsApp?.slug), blog.slug, tracker.slug];
      expect(new Set(slugs).size).toBe(slugs.length);
      for (const { targetAppId } of plan.features) expect([blog.id, tracker.id, ...made.map(({ id }) => `$NEW:${id}`)]).toContain(targetAppId);
    }), { numRuns: 2000 });
    expect(taken).toBeGreaterThan(20);
  });

  test('orderFeatures keeps every feature once, none before what it requires', () => {
    const graph = fc.array(fc.array(fc.nat({ max: 7 }), { maxLength: 3 }), { minLength: 1, maxLength: 8 });
    fc.assert(fc.property(graph, (requires) => {
      const features = requires.map((to, n) => changes(`f${String(n)}`, blog.id, { requires: to.map((other) => `f${String(other)}`) }));
      const { ordered, circular } = orderFeatures(features);
      expect(new Set([...ordered, ...circular])).toEqual(new Set(features));
      expect(ordered.length + circular.length).toBe(features.length);
      const known = new Set(features.map(({ id }) => id));
      const done = new Set<string>();
      for (const feature of ordered) {
        for (const other of feature.requires.filter((id) => known.has(id))) expect(done).toContain(other);
        done.add(feature.id);
      }
      // Whatever is left waits for something that is left too.
      const left = new Set(circular.map(({ id }) => id));
      for (const feature of circular) expect(feature.requires.some((id) => left.has(id))).toBe(true);
    }));
  });
});
