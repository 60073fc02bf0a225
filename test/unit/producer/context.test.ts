import { expect, test } from '@jest/globals';
import { gatherContext } from '../../../activities/producer/context.ts';

const apps = [
  { id: 'a_finance00001', slug: 'personal-finance' },
  { id: 'a_blog00000001', slug: 'blog' },
];
const files = [
  { path: 'apps/personal-finance/src/lib/trpc.tsx', text: "import { z } from 'zod';\nexport function TRPCProvider() {}\n" },
  { path: 'apps/personal-finance/src/main.tsx', text: "import { TRPCProvider } from './lib/trpc.tsx';\n" },
  { path: 'apps/blog/src/provider.tsx', text: 'export function TRPCProvider() {}\n' },
  { path: 'apps/blog/src/main.tsx', text: "import './styles.css';\n" },
  { path: 'apps/blog-2/src/main.tsx', text: 'export const stray = 1;\n' },
  { path: 'apps/gone/src/main.tsx', text: 'export const stray = 1;\n' },
  { path: '.adorable/spec.json', text: '{}' },
];

test('costume 1: with one symbol in two apps, the producer of one is never given the other’s file', () => {
  const context = gatherContext({ apps, files, targetAppId: 'a_blog00000001' });
  expect(context.files.map(({ path }) => path)).toEqual(['apps/blog/src/provider.tsx', 'apps/blog/src/main.tsx']);
  expect(context.symbols.filter(({ name }) => name === 'TRPCProvider')).toEqual([
    { name: 'TRPCProvider', path: 'apps/personal-finance/src/lib/trpc.tsx', line: 2, appId: 'a_finance00001' },
    { name: 'TRPCProvider', path: 'apps/blog/src/provider.tsx', line: 1, appId: 'a_blog00000001' },
  ]);
});

test('the dependency graph stays whole and names apps', () => {
  const { dependencies } = gatherContext({ apps, files, targetAppId: 'a_blog00000001' });
  expect(dependencies).toContainEqual({ appId: 'a_finance00001', from: 'apps/personal-finance/src/main.tsx', to: 'apps/personal-finance/src/lib/trpc.tsx' });
  expect(dependencies.some(({ from }) => from.startsWith('apps/blog-2/'))).toBe(false);
});

test.each([['a_unknown00001'], ['$NEW:blog'], ['']])('an unknown target (%s) gets no context, least of all the primary’s', (targetAppId) => {
  expect(() => gatherContext({ apps, files, targetAppId })).toThrow(expect.objectContaining({ type: 'UnresolvedTarget' }));
});
