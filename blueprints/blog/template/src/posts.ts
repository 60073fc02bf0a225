import { z } from 'zod';

const FIELDS = 'id,title,slug,body,author,date_published';
const PAGE = 50;

const post = z.object({
  id: z.union([z.string(), z.number()]),
  title: z.string(),
  slug: z.string().nullable().catch(null),
  body: z.string().nullable().catch(null),
  author: z.string().nullable().catch(null),
  date_published: z.string().nullable().catch(null),
});

export interface Post {
  id: string;
  title: string;
  slug: string;
  body: string;
  author: string | undefined;
  date: Date | undefined;
}

/** The public address of Directus; it answers this page by CORS. */
const directus: string | undefined = import.meta.env['VITE_DIRECTUS_URL'];

export async function loadPosts(): Promise<Post[]> {
  return await ask({ limit: String(PAGE) });
}

export async function loadPost(slug: string): Promise<Post | undefined> {
  const [found] = await ask({ 'filter[slug][_eq]': slug, limit: '1' });
  if (found) return found;
  // A post without a slug is reached by its id.
  return /^\d+$/.test(slug) ? (await ask({ 'filter[id][_eq]': slug, limit: '1' }))[0] : undefined;
}

async function ask(query: Record<string, string>): Promise<Post[]> {
  if (!directus) throw new Error('This blog has not been told where its posts are (VITE_DIRECTUS_URL).');
  const search = new URLSearchParams({ 'filter[status][_eq]': 'published', sort: '-date_published,-id', fields: FIELDS, ...query });
  const response = await fetch(`${directus.replace(/\/$/, '')}/items/posts?${search.toString()}`);
  if (!response.ok) throw new Error(`The posts could not be loaded (${response.status}).`);
  return z
    .object({ data: z.array(post) })
    .parse(await response.json())
    .data.map(({ id, title, slug, body, author, date_published }) => ({
      id: String(id),
      title,
      slug: slug || String(id),
      body: body ?? '',
      author: author || undefined,
      date: toDate(date_published),
    }));
}

function toDate(text: string | null): Date | undefined {
  const date = text === null ? undefined : new Date(text);
  return date === undefined || Number.isNaN(date.getTime()) ? undefined : date;
}
