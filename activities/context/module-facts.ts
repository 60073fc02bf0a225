/** What one blob says, whatever path it lies at: derived from its bytes alone, so that its hash is the key. */

/** Raised when what is derived changes: an index of another version is built anew. */
export const FACTS_VERSION = 1;

export type SymbolKind = 'function' | 'class' | 'variable' | 'interface' | 'type' | 'enum' | 'namespace' | 'export';

export interface FoundSymbol {
  readonly name: string;
  readonly kind: SymbolKind;
  readonly line: number;
  readonly exported: boolean;
}

export interface FoundImport {
  readonly specifier: string;
  /** As the other module calls them; `*` for all of it, empty for its effects alone. */
  readonly names: readonly string[];
  readonly line: number;
}

export interface ModuleFacts {
  readonly symbols: readonly FoundSymbol[];
  readonly imports: readonly FoundImport[];
}

export interface BlobFacts extends ModuleFacts {
  /** Lower-case, each once, for full-text search. */
  readonly words: readonly string[];
}

export const NO_MODULE: ModuleFacts = { symbols: [], imports: [] };

const CODE = /\.[cm]?[jt]sx?$/;
const TEXT = /\.(?:[cm]?[jt]sx?|css|html|json|sql|md|txt|svg)$/;

export function isCode(path: string): boolean {
  return CODE.test(path);
}

/** A lockfile is text that says nothing about the app. */
export function isText(path: string): boolean {
  return TEXT.test(path) && !/(?:^|\/)package-lock\.json$/.test(path);
}
