import type { MouseEvent } from 'react';
import { Byline } from './byline.tsx';
import { Failed, Loading } from './states.tsx';
import { loadPosts, type Post } from './posts.ts';
import { excerpt } from './prose.tsx';
import { useLoad } from './use-load.ts';

type Go = (event: MouseEvent<HTMLAnchorElement>) => void;

export function PostList({ go }: { go: Go }) {
  const posts = useLoad('all', loadPosts);
  if (posts.state === 'loading') return <Loading />;
  if (posts.state === 'failed') return <Failed reason={posts.reason} retry={posts.retry} />;
  if (posts.value.length === 0) {
    return (
      <div className="notice">
        <svg viewBox="0 0 64 64" aria-hidden="true">
          <path d="M14 8h28l10 10v38H14zM42 8v10h10M22 28h20M22 36h20M22 44h12" />
        </svg>
        <h2>The first post is still being written</h2>
        <p>Published posts of the <code>posts</code> collection show up here.</p>
      </div>
    );
  }
  let shown = posts.value;
  const [lead, ...others] = shown;
  return (
    <>
      <div className="posts">
        {lead ? <Card post={lead} go={go} isLead /> : <p className="none">Nothing to show here.</p>}
        {others.map((post) => (
          <Card key={post.id} post={post} go={go} />
        ))}
      </div>
    </>
  );
}

function Card({ post, go, isLead = false }: { post: Post; go: Go; isLead?: boolean }) {
  return (
    <article className={isLead ? 'card lead' : 'card'}>
      <Byline post={post} />
      <h2>
        <a href={`/posts/${encodeURIComponent(post.slug)}`} onClick={go}>
          {post.title}
        </a>
      </h2>
      <p className="excerpt">{excerpt(post.body, isLead ? 320 : 160)}</p>
    </article>
  );
}
