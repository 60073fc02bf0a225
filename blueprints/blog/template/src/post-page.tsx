import { useEffect, type MouseEvent } from 'react';
import { APP_NAME } from './app-name.ts';
import { Byline } from './byline.tsx';
import { loadPost } from './posts.ts';
import { Prose } from './prose.tsx';
import { Failed, Loading } from './states.tsx';
import { useLoad } from './use-load.ts';

export function PostPage({ slug, go }: { slug: string; go: (event: MouseEvent<HTMLAnchorElement>) => void }) {
  const post = useLoad(slug, () => loadPost(slug));
  const title = post.state === 'done' ? post.value?.title : undefined;
  useEffect(() => {
    document.title = title === undefined ? APP_NAME : `${title} · ${APP_NAME}`;
  }, [title]);

  const back = (
    <a className="back" href="/" onClick={go}>
      ← All posts
    </a>
  );
  if (post.state === 'loading') return <Loading />;
  if (post.state === 'failed') return <Failed reason={post.reason} retry={post.retry} />;
  if (!post.value) {
    return (
      <div className="notice">
        <h2>This post does not exist</h2>
        <p>It may have been renamed or withdrawn.</p>
        {back}
      </div>
    );
  }
  return (
    <article className="post">
      {back}
      <h1>{post.value.title}</h1>
      <Byline post={post.value} />
      <Prose text={post.value.body} />
    </article>
  );
}
