/** One rule for slugs: what passes is safe as directory, Deployment, host label and beside service ids. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSlug, refuseServiceName, slugSkeleton, toSlug } from '../../../shared/slug.ts';

const passes = (value: unknown): boolean => {
  try {
    parseSlug(value);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ type: 'InvalidInput' });
    return false;
  }
};

test.each(['blog', 'personal-finance', 'a1', 'x'.repeat(40), 'v2-blog-3'])('%j is a slug', (value) => {
  expect(parseSlug(value)).toBe(value);
});

test.each([
  '', 'a', '1blog', 'Blog', 'BLOG', 'blög', 'blоg', 'blog-', '-blog', 'my--blog', 'my_blog', 'my blog', 'my.blog', 'blog\n', 'blog\0', '../blog', 'apps/blog', 'x'.repeat(41),
  'app', 'neon-compute', 'postgres', 's3', 'api', 'www', 'admin', 'git', 'default', 'ｂlog', '$NEW:blog', 7, null, undefined, ['blog'],
])('%j is none', (value) => {
  expect(passes(value)).toBe(false);
});

test('whatever text passes is one lower-case DNS label with room for the project, and survives case folding and normalisation', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.stringMatching(/^[a-z0-9-]{1,45}$/)), (value) => {
    fc.pre(passes(value));
    expect(`${value}-qiwykfu39n`).toMatch(/^[a-z][a-z0-9-]{0,62}$/);
    expect(value).toBe(value.toLowerCase().normalize('NFKC'));
    expect(value.includes('--')).toBe(false);
  }), { numRuns: 1000 });
});

test('a slug that is a service id is refused', () => {
  expect(() => refuseServiceName(parseSlug('directus'), ['postgres', 'directus'])).toThrow(expect.objectContaining({ type: 'InvalidInput' }));
  expect(refuseServiceName(parseSlug('blog'), ['directus'])).toBe('blog');
});

test.each([
  ['Field Notes', 'field-notes'], ['  Café — Zürich! ', 'cafe-zurich'], ['2026 in Review', 'in-review'], ['A'.repeat(60), 'a'.repeat(40)], ['ＢＬＯＧ', 'blog'],
  ['日本', undefined], ['', undefined], ['!', undefined], ['App', undefined], ['x', undefined], ['../../etc', 'etc'], [`'; DROP TABLE projects; --`, 'drop-table-projects'],
])('%j becomes the slug %j', (name, slug) => {
  expect(toSlug(name)).toBe(slug);
});

test('whatever a name becomes is a slug, or nothing', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.lorem()), (name) => {
    const slug = toSlug(name);
    if (slug !== undefined) expect(parseSlug(slug)).toBe(slug);
  }), { numRuns: 1000 });
});

test.each([['blog', 'Blog'], ['blog', 'BLOG'], ['blog', 'blоg'], ['blog', 'ｂｌｏｇ'], ['blog', 'b1og'], ['blog', 'bl0g'], ['my-blog', 'myblog'], ['blog', 'blóg'], ['blog', 'b\u200dlog'], ['modern', 'modem']])('%j and %j would be taken for each other', (one, other) => {
  expect(slugSkeleton(one)).toBe(slugSkeleton(other));
});

test('a skeleton is what it looks like itself; case, width, dashes and marks do not change it', () => {
  const letters = fc.stringMatching(/^[a-z][a-z0-9]{1,20}$/);
  fc.assert(fc.property(letters, fc.nat(), (slug, at) => {
    const place = 1 + (at % (slug.length - 1));
    const skeleton = slugSkeleton(slug);
    expect(slugSkeleton(skeleton)).toBe(skeleton);
    for (const twin of [slug.toUpperCase(), `${slug.slice(0, place)}-${slug.slice(place)}`, [...slug].map((char) => `${char}\u0301`).join(''), [...slug].map((char) => String.fromCodePoint((char.codePointAt(0) ?? 0) + 0xfee0)).join('')]) {
      expect(slugSkeleton(twin)).toBe(skeleton);
    }
  }));
});
