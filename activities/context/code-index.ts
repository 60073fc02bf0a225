/**
 * The index of one commit: every text file of every declared app with its facts. Derived: blobs are
 * read from git, never from a worktree, and each is parsed once; what is kept beside the repository
 * is a cache by blob hash that anybody may delete.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TreeBlob } from '../code/read-blobs.ts';
import { FACTS_VERSION, isCode, isText, NO_MODULE } from './module-facts.ts';
import type { BlobFacts, ModuleFacts } from './module-facts.ts';
import { wordsOf } from './words.ts';

export interface IndexedFile {
  readonly path: string;
  readonly oid: string;
  readonly appId: string;
  readonly facts: BlobFacts;
}

export interface CodeIndex {
  readonly files: readonly IndexedFile[];
  /** Text files that were too large or too many. */
  readonly omitted: number;
}

export interface IndexInput {
  /** `DATA/projects/<id>/index` */
  readonly cacheDir: string;
  readonly blobs: readonly TreeBlob[];
  readonly apps: readonly { readonly id: string; readonly dir: string }[];
  /** Its files come first where not all fit. */
  readonly targetAppId: string;
  readBlobs(oids: readonly string[]): Promise<ReadonlyMap<string, Buffer>>;
  parseModules(files: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, ModuleFacts>>;
}

const MAX_FILES = 5_000;
const MAX_BLOB = 300_000;
const MAX_BYTES = 60_000_000;

export async function buildIndex(input: IndexInput): Promise<CodeIndex> {
  const owners = new Map(input.apps.map(({ id, dir }) => [dir, id]));
  const owned = input.blobs.flatMap((blob) => {
    const appId = ownerOf(blob.path, owners);
    return appId === undefined || !isText(blob.path) ? [] : [{ ...blob, appId }];
  });
  const small = withinBounds([...owned].sort((a, b) => Number(b.appId === input.targetAppId) - Number(a.appId === input.targetAppId)));
  const known = await readCache(input.cacheDir);
  const fresh = await deriveFacts(input, small.filter((blob) => !known.has(keyOf(blob))));
  const facts = new Map(small.map((blob) => [keyOf(blob), fresh.get(keyOf(blob)) ?? known.get(keyOf(blob))]));
  if (fresh.size > 0 || known.size !== facts.size) await writeCache(input.cacheDir, facts);
  return {
    files: small.flatMap((blob) => {
      const found = facts.get(keyOf(blob));
      return found === undefined ? [] : [{ path: blob.path, oid: blob.oid, appId: blob.appId, facts: found }];
    }),
    omitted: owned.length - small.length,
  };
}

function withinBounds<T extends TreeBlob>(blobs: readonly T[]): T[] {
  let bytes = 0;
  return blobs.filter(({ size }) => size <= MAX_BLOB && (bytes += size) <= MAX_BYTES).slice(0, MAX_FILES);
}

/** By whole path components: `apps/blog-2/x` is not the blog's. */
function ownerOf(path: string, owners: ReadonlyMap<string, string>): string | undefined {
  const [root, dir, ...rest] = path.split('/');
  return root !== 'apps' || dir === undefined || rest.length === 0 || rest.includes('..') ? undefined : owners.get(dir);
}

/** The same bytes mean something else to the parser under another ending. */
function keyOf({ oid, path }: TreeBlob): string {
  return `${oid}${isCode(path) ? path.slice(path.lastIndexOf('.')) : ''}`;
}

async function deriveFacts(input: IndexInput, blobs: readonly TreeBlob[]): Promise<ReadonlyMap<string, BlobFacts>> {
  if (blobs.length === 0) return new Map();
  const bytes = await input.readBlobs([...new Set(blobs.map(({ oid }) => oid))]);
  const texts = new Map(blobs.map((blob) => [keyOf(blob), toText(bytes.get(blob.oid))]));
  const code = new Map(blobs.filter(({ path }) => isCode(path)).map((blob) => [keyOf(blob), texts.get(keyOf(blob)) ?? '']));
  const modules = await input.parseModules(code);
  return new Map([...texts].map(([key, text]) => [key, { ...(modules.get(key) ?? NO_MODULE), words: wordsOf(text) }]));
}

/** Bytes that are no text are indexed as empty. */
export function toText(bytes: Buffer | undefined): string {
  const text = bytes?.toString('utf8') ?? '';
  return text.includes('\0') ? '' : text;
}

const cacheFile = (dir: string): string => join(dir, `facts-${String(FACTS_VERSION)}.json`);

/** Whatever is wrong with it, it is derived again. */
async function readCache(dir: string): Promise<ReadonlyMap<string, BlobFacts>> {
  try {
    const parsed = JSON.parse(await readFile(cacheFile(dir), 'utf8')) as unknown;
    if (!Array.isArray(parsed)) return new Map();
    return new Map(parsed.filter(isEntry));
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
}

function isEntry(value: unknown): value is [string, BlobFacts] {
  if (!Array.isArray(value) || typeof value[0] !== 'string') return false;
  const facts = value[1] as Partial<BlobFacts> | null;
  return Array.isArray(facts?.symbols) && Array.isArray(facts.imports) && Array.isArray(facts.words);
}

/** Whole or not at all; of two writers the last one wins, and either file is right. */
async function writeCache(dir: string, facts: ReadonlyMap<string, BlobFacts | undefined>): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const draft = join(dir, `.new-${String(process.pid)}-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(draft, JSON.stringify([...facts]), { mode: 0o600 });
    await rename(draft, cacheFile(dir));
  } finally {
    await rm(draft, { force: true });
  }
}
