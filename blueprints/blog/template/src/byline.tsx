import type { Post } from './posts.ts';
import { minutesToRead } from './prose.tsx';

export function Byline({ post }: { post: Post }) {
  return (
    <p className="byline">
      {post.date && (
        <time dateTime={post.date.toISOString()}>
          {post.date.toLocaleDateString(undefined, { day: 'numeric', month: 'long', year: 'numeric' })}
        </time>
      )}
      {post.author && <span>{post.author}</span>}
      <span>{minutesToRead(post.body)} min read</span>
    </p>
  );
}
