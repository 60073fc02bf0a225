import type { Post } from './posts.ts';

/** As people type them: `#Garden `, `garden` and `GARDEN` are one tag. */
export function cleanTags(tags: readonly string[] | null): string[] {
  const clean = (tags ?? []).map((tag) => tag.trim().replace(/^#+/, '').toLowerCase()).filter((tag) => tag !== '');
  return [...new Set(clean)];
}

/** All tags with their number of posts, the most used first. */
export function countTags(posts: readonly Post[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const tag of posts.flatMap((post) => post.tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || a.localeCompare(b));
}

export const tagPath = (tag: string): string => `/tags/${encodeURIComponent(tag)}`;
