import type { Post } from './posts.ts';

/** Every word of the question stands somewhere in the post; accents and case do not count. */
export function matches(post: Post, question: string): boolean {
  const text = fold([post.title, post.author ?? '', post.body].join(' '));
  return fold(question).split(/\s+/).every((word) => text.includes(word));
}

function fold(text: string): string {
  return text.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').trim();
}
