/**
 * Full-text search over the index. Of a sibling app it tells the place and never the text: what a
 * producer can read there, it would copy, with imports that its own tree does not have.
 */
import type { CodeIndex, IndexedFile } from './code-index.ts';
import { wordsOf } from './words.ts';

export interface SearchHit {
  readonly appId: string;
  readonly path: string;
  /** The first lines that match, in the target app only. */
  readonly lines: readonly { readonly line: number; readonly text: string }[];
}

const MAX_HITS = 20;
const MAX_LINES = 5;
const MAX_LINE = 200;

export function createSearch(index: CodeIndex, texts: ReadonlyMap<string, string>): (query: string) => readonly SearchHit[] {
  let places: Map<string, IndexedFile[]> | undefined;
  return (query) => {
    places ??= invert(index);
    const words = wordsOf(query.slice(0, 1_000));
    const scores = new Map<IndexedFile, number>();
    for (const word of words) {
      const found = places.get(word) ?? [];
      // A word that is everywhere says little.
      const weight = Math.log(1 + index.files.length / (found.length + 1)) + 0.1;
      for (const file of found) scores.set(file, (scores.get(file) ?? 0) + weight);
    }
    return [...scores]
      .sort(([a, x], [b, y]) => y - x || (a.path < b.path ? -1 : 1))
      .slice(0, MAX_HITS)
      .map(([{ appId, path }]) => ({ appId, path, lines: linesOf(texts.get(path), words) }));
  };
}

function invert(index: CodeIndex): Map<string, IndexedFile[]> {
  const places = new Map<string, IndexedFile[]>();
  for (const file of index.files) {
    for (const word of file.facts.words) {
      const known = places.get(word);
      if (known === undefined) places.set(word, [file]);
      else known.push(file);
    }
  }
  return places;
}

function linesOf(text: string | undefined, words: readonly string[]): SearchHit['lines'] {
  if (text === undefined) return [];
  const found: { line: number; text: string }[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (found.length === MAX_LINES) break;
    const lower = line.toLowerCase();
    if (words.some((word) => lower.includes(word))) found.push({ line: at + 1, text: line.trim().slice(0, MAX_LINE) });
  }
  return found;
}
