/**
 * `gatherContext`: what a producer may know. The symbols and the dependency graph stay whole, with
 * fully qualified paths and app ids, since they are how an app learns what its siblings offer; the text
 * that can be copied from is the target app's alone (seed costume 1). There is no default target (I4).
 */
import { AdorableError } from '../../shared/errors.ts';
import type { CodeIndex } from './code-index.ts';
import { dependenciesOf } from './dependencies.ts';
import type { Dependency } from './dependencies.ts';
import type { SymbolKind } from './module-facts.ts';
import { createSearch } from './search.ts';
import type { SearchHit } from './search.ts';

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
  readonly kind: SymbolKind;
  /** Fully qualified, so that an equal name in another app is another symbol. */
  readonly path: string;
  readonly line: number;
  readonly appId: string;
}

export interface ProducerContext {
  readonly targetAppId: string;
  readonly apps: readonly ContextApp[];
  readonly symbols: readonly IndexedSymbol[];
  readonly dependencies: readonly Dependency[];
  /** Of the target app only. */
  readonly files: readonly SourceFile[];
  /** What the bounds below left out. */
  readonly omitted: { readonly files: number; readonly symbols: number; readonly dependencies: number };
  /** Full text: of every app where it is, of the target app also what it says. */
  search(query: string): readonly SearchHit[];
}

/** What fits a producer's attention and a worker's memory. */
export const BOUNDS = { fileBytes: 200_000, filesBytes: 2_000_000, symbols: 5_000, dependencies: 10_000 } as const;

export interface GatherInput {
  readonly apps: readonly ContextApp[];
  readonly index: CodeIndex;
  readonly targetAppId: string;
  /** The text of a blob that the index names. */
  readText(oid: string): string | undefined;
}

export function gatherContext({ apps, index, targetAppId, readText }: GatherInput): ProducerContext {
  requireTarget(apps, targetAppId);
  // The target's own come first, so that a bound cuts what is farther away.
  const near = <T extends { readonly appId: string }>(all: readonly T[]): T[] => [...all.filter(({ appId }) => appId === targetAppId), ...all.filter(({ appId }) => appId !== targetAppId)];
  const symbols = near(index.files.flatMap(({ path, appId, facts }) => facts.symbols.filter(({ exported }) => exported).map(({ name, kind, line }) => ({ name, kind, path, line, appId }))));
  const dependencies = near(dependenciesOf(index));
  const own = index.files.filter(({ appId }) => appId === targetAppId);
  const files = withinBounds(own.flatMap(({ path, oid }) => {
    const text = readText(oid);
    return text === undefined ? [] : [{ path, text }];
  }));
  return {
    targetAppId,
    apps: apps.map(({ id, slug }) => ({ id, slug })),
    symbols: symbols.slice(0, BOUNDS.symbols),
    dependencies: dependencies.slice(0, BOUNDS.dependencies),
    files,
    omitted: {
      files: own.length - files.length + index.omitted,
      symbols: Math.max(0, symbols.length - BOUNDS.symbols),
      dependencies: Math.max(0, dependencies.length - BOUNDS.dependencies),
    },
    search: createSearch(index, new Map(files.map(({ path, text }) => [path, text]))),
  };
}

export function requireTarget(apps: readonly ContextApp[], targetAppId: string): void {
  if (apps.some(({ id }) => id === targetAppId)) return;
  throw new AdorableError('UnresolvedTarget', `No live app has the id ${JSON.stringify(targetAppId.slice(0, 60))}: no context was gathered.`);
}

function withinBounds(files: readonly SourceFile[]): SourceFile[] {
  let left: number = BOUNDS.filesBytes;
  return files.filter(({ text }) => {
    if (text.length > BOUNDS.fileBytes || text.length > left) return false;
    left -= text.length;
    return true;
  });
}
