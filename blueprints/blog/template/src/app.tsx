import { useEffect } from 'react';
import { APP_NAME } from './app-name.ts';
import { PostList } from './post-list.tsx';
import { PostPage } from './post-page.tsx';
import { useRoute } from './use-route.ts';

export function App() {
  const { path, go } = useRoute();
  const slug = /^\/posts\/([^/]+)\/?$/.exec(path)?.[1];
  const isFront = path === '/';
  useEffect(() => {
    if (slug === undefined) document.title = APP_NAME;
  }, [slug]);

  return (
    <>
      <a className="skip" href="#content">
        Skip to the text
      </a>
      <header className={isFront ? 'masthead' : 'masthead small'}>
        <a href="/" onClick={go} className="brand">
          {APP_NAME}
        </a>
        {isFront && <p>Notes, essays and news, newest first.</p>}
      </header>
      <main id="content">
        {slug !== undefined ? (
          <PostPage slug={decode(slug)} go={go} />
        ) : isFront ? (
          <PostList go={go} />
        ) : (
          <div className="notice">
            <h2>There is nothing here</h2>
            <p>
              <a href="/" onClick={go}>Back to all posts</a>
            </p>
          </div>
        )}
      </main>
      <footer>
        <span>{APP_NAME}</span>
        <span>Written in Directus</span>
      </footer>
    </>
  );
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
