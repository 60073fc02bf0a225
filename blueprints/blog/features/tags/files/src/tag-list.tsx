import type { MouseEvent } from 'react';
import type { Post } from './posts.ts';
import { countTags, tagPath } from './tags.ts';

type Go = (event: MouseEvent<HTMLAnchorElement>) => void;

export function TagList({ tags, go }: { tags: readonly string[]; go: Go }) {
  if (tags.length === 0) return null;
  return (
    <ul className="tags" aria-label="Tags">
      {tags.map((tag) => (
        <li key={tag}>
          <a href={tagPath(tag)} onClick={go}>
            {tag}
          </a>
        </li>
      ))}
    </ul>
  );
}

/** Every tag of the blog; the current one leads back to all posts. */
export function TagBar({ posts, current, go }: { posts: readonly Post[]; current: string | undefined; go: Go }) {
  const counts = countTags(posts);
  if (counts.length === 0 && current === undefined) return null;
  const isKnown = counts.some(([tag]) => tag === current);
  return (
    <nav className="tag-bar" aria-label="Tags">
      <a href="/" onClick={go} aria-current={current === undefined ? 'page' : undefined}>
        All posts
      </a>
      {counts.map(([tag, count]) => (
        <a key={tag} href={tagPath(tag)} onClick={go} aria-current={tag === current ? 'page' : undefined}>
          {tag} <small>{count}</small>
        </a>
      ))}
      {current !== undefined && !isKnown && <p>No post is tagged “{current}”.</p>}
    </nav>
  );
}
