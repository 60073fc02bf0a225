/** The symbol graph: which file takes which names from where, within an app or from a package. */
import { posix } from 'node:path';
import type { CodeIndex } from './code-index.ts';

export interface Dependency {
  readonly appId: string;
  readonly from: string;
  /** A file from the repository's root, or what a package or an alias is called. */
  readonly to: string;
  readonly names: readonly string[];
}

const ENDINGS = ['', '.ts', '.tsx', '.js', '.jsx', '.mts', '.mjs', '/index.ts', '/index.tsx', '/index.js', '/index.jsx'];

export function dependenciesOf(index: CodeIndex): Dependency[] {
  const paths = new Set(index.files.map(({ path }) => path));
  return index.files.flatMap(({ path, appId, facts }) => {
    const names = new Map<string, Set<string>>();
    for (const found of facts.imports) {
      const to = targetOf(path, found.specifier, paths);
      const known = names.get(to) ?? new Set<string>();
      for (const name of found.names) known.add(name);
      names.set(to, known);
    }
    return [...names].map(([to, taken]) => ({ appId, from: path, to, names: [...taken].sort() }));
  });
}

function targetOf(from: string, specifier: string, paths: ReadonlySet<string>): string {
  const plain = specifier.replace(/[?#].*$/, '');
  if (!plain.startsWith('.')) return plain;
  const joined = posix.join(posix.dirname(from), plain);
  // TypeScript lets a source be named by what it is compiled to.
  const source = joined.replace(/\.([cm]?)js(x?)$/, '.$1ts$2');
  return [...ENDINGS.map((ending) => joined + ending), source, `${source}x`].find((candidate) => paths.has(candidate)) ?? joined;
}
