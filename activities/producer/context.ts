/**
 * `gatherContext`: what a producer may know. The code index and the dependency graph stay whole, with fully
 * qualified paths and app ids, since they are how an app learns what its siblings offer; the raw files that
 * can be copied from are the target app's alone (seed costume 1). There is no default target (I4).
 */
import { posix } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';

export interface ContextApp {
  readonly id: string;
  readonly slug: string;
}

export interface SourceFile {
  /** From the repository's root: `apps/<slug>/…`. */
  readonly path: string;
  readonly text: string;
}

export interface IndexedSymbol {
  readonly name: string;
  /** Fully qualified, so that an equal name in another app is another symbol. */
  readonly path: string;
  readonly line: number;
  readonly appId: string;
}

export interface Dependency {
  readonly appId: string;
  readonly from: string;
  /** A path within the same app, or a package's name. */
  readonly to: string;
}

export interface ProducerContext {
  readonly targetAppId: string;
  readonly symbols: readonly IndexedSymbol[];
  readonly dependencies: readonly Dependency[];
  readonly files: readonly SourceFile[];
}

const EXPORT = /^export\s+(?:default\s+)?(?:async\s+)?(?:function\*?|class|const|let|interface|type)\s+([A-Za-z_$][\w$]*)/gm;
const IMPORT = /^(?:import|export)\s[^'"]*?(?:from\s+)?['"]([^'"]+)['"]/gm;

export function gatherContext(input: { apps: readonly ContextApp[]; files: readonly SourceFile[]; targetAppId: string }): ProducerContext {
  const bySlug = new Map(input.apps.map((app) => [app.slug, app.id]));
  if (!input.apps.some((app) => app.id === input.targetAppId)) {
    throw new AdorableError('UnresolvedTarget', `No live app has the id ${JSON.stringify(input.targetAppId.slice(0, 60))}: no context was gathered.`);
  }
  const owned = input.files.flatMap((file) => {
    const appId = ownerOf(file.path, bySlug);
    return appId === undefined || !/\.[cm]?[jt]sx?$|\.(?:css|html|json|sql)$/.test(file.path) ? [] : [{ ...file, appId }];
  });
  const code = owned.filter((file) => /\.[cm]?[jt]sx?$/.test(file.path));
  return {
    targetAppId: input.targetAppId,
    symbols: code.flatMap((file) => symbolsOf(file, file.appId)),
    dependencies: code.flatMap((file) => dependenciesOf(file, file.appId)),
    files: owned.filter((file) => file.appId === input.targetAppId).map(({ path, text }) => ({ path, text })),
  };
}

/** By whole path components: `apps/blog-2/x` is not the blog's. */
function ownerOf(path: string, bySlug: ReadonlyMap<string, string>): string | undefined {
  const [root, slug, ...rest] = path.split('/');
  if (root !== 'apps' || slug === undefined || rest.length === 0 || rest.includes('..')) return undefined;
  return bySlug.get(slug);
}

function symbolsOf({ path, text }: SourceFile, appId: string): IndexedSymbol[] {
  return [...text.matchAll(EXPORT)].map((match) => ({
    name: match[1] ?? '',
    path,
    line: text.slice(0, match.index).split('\n').length,
    appId,
  }));
}

function dependenciesOf({ path, text }: SourceFile, appId: string): Dependency[] {
  const targets = [...text.matchAll(IMPORT)].map((match) => match[1] ?? '');
  return [...new Set(targets)].map((to) => ({ appId, from: path, to: to.startsWith('.') ? posix.join(posix.dirname(path), to) : to }));
}
