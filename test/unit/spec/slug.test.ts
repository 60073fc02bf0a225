/** One rule for slugs: what passes is safe as directory, Deployment, host label and beside service ids. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseSlug, refuseServiceName } from '../../../shared/slug.ts';

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
