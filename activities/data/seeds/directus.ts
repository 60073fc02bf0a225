/**
 * Directus' declared steps. `seedDirectus` runs after its first health: the `posts` collection and what the
 * public may read of it; what is there already stays as people left it. `reassertDirectusAdmin` runs before
 * its pod starts: credentials do not rewind, so the branch is given the current ones. Both may run twice (I9).
 */
import { argon2Sync, randomBytes, timingSafeEqual } from 'node:crypto';
import { AdorableError } from '../../../shared/errors.ts';
import type { FailureType } from '../../../shared/errors.ts';

export interface SeedInput {
  /** Internal address, e.g. `http://127.196.0.9:8055`. */
  readonly url: string;
  readonly token: string;
  readonly signal?: AbortSignal;
}

export interface SeedResult {
  readonly created: readonly string[];
}

const COLLECTION = 'posts';
const REQUEST_LIMIT_MS = 30_000;

const choice = (text: string, value: string) => ({ text, value });

const POSTS = {
  collection: COLLECTION,
  schema: {},
  meta: { icon: 'article', note: 'Posts of the blog', display_template: '{{title}}', sort_field: null, archive_field: 'status', archive_value: 'archived', unarchive_value: 'draft' },
  fields: [
    { field: 'id', type: 'integer', schema: { is_primary_key: true, has_auto_increment: true }, meta: { hidden: true, readonly: true } },
    {
      field: 'status', type: 'string', schema: { default_value: 'draft', is_nullable: false },
      meta: { interface: 'select-dropdown', width: 'half', options: { choices: [choice('Published', 'published'), choice('Draft', 'draft'), choice('Archived', 'archived')] } },
    },
    { field: 'date_published', type: 'timestamp', schema: {}, meta: { interface: 'datetime', width: 'half' } },
    { field: 'title', type: 'string', schema: { is_nullable: false }, meta: { interface: 'input', required: true } },
    { field: 'slug', type: 'string', schema: { is_unique: true }, meta: { interface: 'input', width: 'half', options: { slug: true } } },
    { field: 'author', type: 'string', schema: {}, meta: { interface: 'input', width: 'half' } },
    { field: 'tags', type: 'csv', schema: {}, meta: { interface: 'tags', width: 'half', special: ['cast-csv'], note: 'Shown by a blog that was given tags' } },
    { field: 'body', type: 'text', schema: {}, meta: { interface: 'input-multiline', note: 'Paragraphs, # headings, - lists, > quotes, **bold**, `code`' } },
  ],
};

/** What a reader without an account sees: published posts, and only the fields of a post. */
const PUBLIC_READ = {
  collection: COLLECTION,
  action: 'read',
  permissions: { status: { _eq: 'published' } },
  fields: ['id', 'title', 'slug', 'body', 'status', 'author', 'date_published', 'tags'],
};

export async function seedDirectus(input: SeedInput): Promise<SeedResult> {
  const created: string[] = [];
  const ask = client(input);

  const { data: collections } = await ask<{ data: { collection: string }[] }>('GET', '/collections');
  if (!collections.some(({ collection }) => collection === COLLECTION)) {
    await ask('POST', '/collections', POSTS);
    created.push(`collection ${COLLECTION}`);
  }

  const policy = await publicPolicy(ask);
  const query = new URLSearchParams({
    'filter[policy][_eq]': policy,
    'filter[collection][_eq]': COLLECTION,
    'filter[action][_eq]': 'read',
    fields: 'id',
    limit: '1',
  });
  const { data: permissions } = await ask<{ data: unknown[] }>('GET', `/permissions?${query.toString()}`);
  if (permissions.length === 0) {
    await ask('POST', '/permissions', { ...PUBLIC_READ, policy });
    created.push(`public read of ${COLLECTION}`);
  }
  return { created };
}

/** The policy attached to nobody in particular: neither a role nor a user. */
async function publicPolicy(ask: Ask): Promise<string> {
  const { data } = await ask<{ data: { policy: string }[] }>('GET', '/access?filter[role][_null]=true&filter[user][_null]=true&fields=policy&limit=1');
  const policy = data[0]?.policy;
  if (!policy) throw new AdorableError('PreconditionFailed', 'Directus has no public policy: attach one to its public access, then resume.');
  return policy;
}

type Ask = <T>(method: string, path: string, body?: unknown) => Promise<T>;

function client({ url, token, signal }: SeedInput): Ask {
  return async <T>(method: string, path: string, body?: unknown) => {
    let response: Response;
    try {
      response = await fetch(new URL(path, url), {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        signal: AbortSignal.any([AbortSignal.timeout(REQUEST_LIMIT_MS), ...(signal ? [signal] : [])]),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new AdorableError('Unavailable', `Directus does not answer ${method} ${path.split('?')[0] ?? path}.`, { cause });
    }
    if (!response.ok) throw await toFailure(response, `${method} ${path.split('?')[0] ?? path}`);
    return (response.status === 204 ? undefined : await response.json()) as T;
  };
}

async function toFailure(response: Response, subject: string): Promise<AdorableError> {
  const text = await response.text();
  const code = /"code":"([A-Z_]+)"/.exec(text)?.[1];
  const type: FailureType =
    response.status === 401 || response.status === 403 ? 'Denied' : response.status === 429 ? 'RateLimited' : response.status >= 500 ? 'Unavailable' : 'Unclassified';
  return new AdorableError(type, `Directus refused ${subject} with ${String(response.status)}${code ? ` ${code}` : ''}.`, { details: { status: response.status } });
}

export interface PgLike {
  query(text: string, values: unknown[]): Promise<{ rowCount: number | null; rows: readonly Record<string, unknown>[] }>;
}

export interface DirectusAdmin {
  readonly adminEmail: string;
  readonly token: string;
  readonly password: string;
}

/** Answers whether there was an administrator to tell: an empty schema has none, Directus' bootstrap makes it. */
export async function reassertDirectusAdmin(pg: PgLike, schema: string, admin: DirectusAdmin): Promise<{ asserted: boolean }> {
  const users = `${quoteName(schema)}.directus_users`;
  const { rows } = await pg.query('SELECT to_regclass($1) IS NOT NULL AS present', [users]);
  if (rows[0]?.['present'] !== true) return { asserted: false };
  const { rows: [user] } = await pg.query(`SELECT password FROM ${users} WHERE lower(email) = lower($1)`, [admin.adminEmail]);
  if (user === undefined) return { asserted: false };
  // The token is unique: should another user hold it in this branch, it is taken from there first.
  await pg.query(`UPDATE ${users} SET token = NULL WHERE token = $1 AND lower(email) <> lower($2)`, [admin.token, admin.adminEmail]);
  // Every hash has a salt of its own: one that fits stays, or each start would change the branch.
  const hash = isDirectusPassword(user['password'], admin.password) ? user['password'] : hashDirectusPassword(admin.password);
  await pg.query(
    `UPDATE ${users} SET token = $2::text, password = $3::text, status = 'active' WHERE lower(email) = lower($1) AND (token, password, status) IS DISTINCT FROM ($2::text, $3::text, 'active')`,
    [admin.adminEmail, admin.token, hash],
  );
  return { asserted: true };
}

/** The PHC string Directus verifies. */
export function hashDirectusPassword(password: string): string {
  const nonce = randomBytes(16);
  const tag = argon2Sync('argon2id', { message: Buffer.from(password), nonce, parallelism: 4, tagLength: 32, memory: 65_536, passes: 3 });
  const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=65536,t=3,p=4$${base64(nonce)}$${base64(tag)}`;
}

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

/** Whether a stored hash is this password's; one of another form is not, and is replaced. */
export function isDirectusPassword(stored: unknown, password: string): boolean {
  const [, memory, passes, parallelism, nonce = '', tag = ''] = (typeof stored === 'string' && PHC.exec(stored)) || [];
  const wanted = Buffer.from(tag, 'base64');
  if (wanted.length < 4) return false;
  const found = argon2Sync('argon2id', {
    message: Buffer.from(password), nonce: Buffer.from(nonce, 'base64'), tagLength: wanted.length,
    parallelism: Number(parallelism), memory: Number(memory), passes: Number(passes),
  });
  return timingSafeEqual(found, wanted);
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
