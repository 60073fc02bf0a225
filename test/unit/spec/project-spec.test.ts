/** `.adorable/spec.json`: what is written is read back, equal specs are equal text, nonsense is refused. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAppId, parseProjectId, parseRevisionId } from '../../../shared/ids.ts';
import { parseSlug } from '../../../shared/slug.ts';
import type { Declared } from '../../../shared/spec/declared.ts';
import { kindDrift } from '../../../shared/spec/kind-drift.ts';
import { buildProjectSpec, effectiveKind, parseSpec, specText } from '../../../shared/spec/project-spec.ts';

const project = parseProjectId('qiwykfu39n');
const declaredOf = fc.record({
  count: fc.nat({ max: 6 }), primary: fc.boolean(), kinds: fc.array(fc.constantFrom('react' as const, 'fullstack' as const), { minLength: 6, maxLength: 6 }),
  services: fc.uniqueArray(fc.constantFrom('react-frontend', 'trpc-api', 'postgres', 'directus')), revision: fc.boolean(), names: fc.array(fc.string(), { minLength: 6, maxLength: 6 }),
}).map(({ count, primary, kinds, services, revision, names }): Declared => ({
  apps: Array.from({ length: count }, (_none, n) => ({
    id: parseAppId(`a_${String(n).padStart(12, '0')}`), slug: parseSlug(`slug-${String(n)}`), name: names[n] ?? '', kind: kinds[n] ?? 'react', isPrimary: primary && n === 0, fsDirName: `slug-${String(n)}`,
  })),
  services, serviceVersions: Object.fromEntries(services.map((id) => [id, '1.0.0'])), revisionId: revision ? parseRevisionId('rev_000000000001') : null,
}));

test('what is written is read back', () => {
  fc.assert(fc.property(declaredOf, (declared) => {
    const spec = buildProjectSpec(project, declared);
    expect(parseSpec(specText(spec))).toEqual(spec);
  }));
});

test('the order of apps, services and keys does not reach the text: equal moments have equal trees', () => {
  fc.assert(fc.property(declaredOf, (declared) => {
    const turned: Declared = {
      revisionId: declared.revisionId, serviceVersions: Object.fromEntries(Object.entries(declared.serviceVersions).toReversed()),
      services: [...declared.services, ...declared.services].toReversed(), apps: declared.apps.toReversed().map((app) => Object.fromEntries(Object.entries(app).toReversed()) as unknown as typeof app),
    };
    expect(specText(buildProjectSpec(project, turned))).toBe(specText(buildProjectSpec(project, declared)));
  }));
});

describe('effectiveKind', () => {
  test.each([
    [true, 'react', ['trpc-api'], 'fullstack'], [true, 'react', ['postgres'], 'react'], [true, 'fullstack', [], 'fullstack'],
    [false, 'react', ['trpc-api'], 'react'], [false, 'fullstack', ['trpc-api'], 'fullstack'],
  ] as const)('primary %s, stored %s, services %j: %s', (isPrimary, kind, services, expected) => {
    expect(effectiveKind({ isPrimary, kind }, services)).toBe(expected);
  });
});

test('the kind is derived: whatever is stored, the services of the primary decide, and drift is named for exactly the apps that have it', () => {
  fc.assert(fc.property(declaredOf, (declared) => {
    const drift = kindDrift(declared);
    for (const app of declared.apps) {
      const derived = effectiveKind(app, declared.services);
      expect(derived).toBe(app.isPrimary && declared.services.includes('trpc-api') ? 'fullstack' : app.kind);
      expect(drift.filter(({ what }) => what.endsWith(` ${app.slug}`))).toEqual(derived === app.kind ? [] : [{ store: 'rows', what: `the stored kind of ${app.slug}`, expected: derived, found: app.kind }]);
    }
  }));
});

describe('nonsense is refused with its type', () => {
  const app = { id: 'a_000000000001', slug: 'blog', name: 'Blog', kind: 'react', isPrimary: false, fsDirName: 'blog' };
  const base = { version: 1, projectId: project, apps: [app], services: [], serviceVersions: {}, revisionId: null };
  test.each<[string, unknown, string]>([
    ['a newer version', { ...base, version: 2 }, 'PreconditionFailed'],
    ['no version', { ...base, version: undefined }, 'PreconditionFailed'],
    ['another shape', [], 'InvalidInput'],
    ['a foreign project id', { ...base, projectId: 'NOT AN ID' }, 'InvalidInput'],
    ['apps that are no list', { ...base, apps: {} }, 'InvalidInput'],
    ['an app that is no object', { ...base, apps: [null] }, 'InvalidInput'],
    ['an unknown kind', { ...base, apps: [{ ...app, kind: 'native' }] }, 'InvalidInput'],
    ['a sentinel as an id', { ...base, apps: [{ ...app, id: '$NEW:blog' }] }, 'InvalidInput'],
    ['a slug that leaves the tree', { ...base, apps: [{ ...app, slug: '../blog' }] }, 'InvalidInput'],
    ['a directory that leaves the tree', { ...base, apps: [{ ...app, fsDirName: '../../etc' }] }, 'InvalidInput'],
    ['two apps with one slug', { ...base, apps: [app, { ...app, id: 'a_000000000002' }] }, 'InvalidInput'],
    ['two apps with one id', { ...base, apps: [app, { ...app, slug: 'other', fsDirName: 'other' }] }, 'InvalidInput'],
    ['two primaries', { ...base, apps: [{ ...app, isPrimary: true }, { ...app, id: 'a_000000000002', slug: 'other', isPrimary: true }] }, 'InvalidInput'],
    ['a service that is no text', { ...base, services: [1] }, 'InvalidInput'],
    ['a service version that is no text', { ...base, serviceVersions: { directus: 11 } }, 'InvalidInput'],
    ['a revision that is none', { ...base, revisionId: 'latest' }, 'InvalidInput'],
  ])('%s', (_what, value, type) => {
    expect(() => parseSpec(JSON.stringify(value))).toThrow(expect.objectContaining({ type }));
  });

  test('no JSON at all, and any text', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(() => parseSpec(text)).toThrow(expect.objectContaining({ type: expect.stringMatching(/^(InvalidInput|PreconditionFailed)$/) }));
    }));
  });
});

test('a good spec with any one field spoiled is refused with its type, or is still a whole spec', () => {
  const spoil = fc.record({ app: fc.boolean(), field: fc.constantFrom('version', 'projectId', 'apps', 'services', 'serviceVersions', 'revisionId', 'id', 'slug', 'name', 'kind', 'fsDirName'), value: fc.anything() });
  fc.assert(fc.property(declaredOf, spoil, (declared, { app, field, value }) => {
    const spec = buildProjectSpec(project, declared) as unknown as Record<string, unknown> & { apps: readonly object[] };
    const [first, ...others] = spec.apps;
    const spoilt = app && first !== undefined ? { ...spec, apps: [{ ...first, [field]: value }, ...others] } : { ...spec, [field]: value };
    let text;
    try {
      text = JSON.stringify(spoilt);
    } catch {
      return; // No JSON has a circle or a bigint.
    }
    try {
      const parsed = parseSpec(text);
      expect(parseSpec(specText(parsed))).toEqual(parsed);
    } catch (error) {
      expect(error).toMatchObject({ type: expect.stringMatching(/^(InvalidInput|PreconditionFailed)$/) });
    }
  }), { numRuns: 500 });
});
