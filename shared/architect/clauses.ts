/**
 * A message as clauses of words: the unit in which one app is named. What joins a clause to the one
 * before decides how its words count: "and a blog" is a second app, "with a CMS" is a property,
 * "about finance" is a subject, "to the blog" is a place, "next to my tracker" only points at something.
 */

export type Joint = 'start' | 'and' | 'with' | 'about' | 'onto' | 'beside';

export interface Clause {
  readonly joint: Joint;
  readonly words: readonly string[];
  /** The words as written, for answers to people. */
  readonly text: string;
  /** A display name given in quotes: `a blog called "Field Notes"`. */
  readonly name?: string;
}

const JOINTS: Readonly<Record<string, Joint>> = {
  and: 'and', plus: 'and', also: 'and', then: 'and', '&': 'and', ',': 'and', ';': 'and', '.': 'and', '!': 'and', '?': 'and', '\n': 'and',
  with: 'with', having: 'with', including: 'with', using: 'with',
  about: 'about', for: 'about', of: 'about', as: 'about', that: 'about', where: 'about', which: 'about', so: 'about',
  to: 'onto', into: 'onto', on: 'onto', in: 'onto',
  beside: 'beside', besides: 'beside', alongside: 'beside', near: 'beside',
};

export function toClauses(message: string): readonly Clause[] {
  const clauses: Clause[] = [];
  let joint: Joint = 'start';
  let words: string[] = [];
  let written: string[] = [];
  let name: string | undefined;
  const close = (next: Joint) => {
    if (words.length > 0) {
      clauses.push({ joint, words, text: written.join(' '), ...(name === undefined ? {} : { name }) });
      joint = next;
      name = undefined;
    } else if (next !== 'and') {
      // ", with a CMS": the nearest joint is the one that counts.
      joint = next;
    }
    words = [];
    written = [];
  };

  for (const token of tokens(message)) {
    if (token.startsWith('"')) {
      name = token.slice(1, -1).trim() || undefined;
      continue;
    }
    const folded = fold(token);
    const next = JOINTS[folded];
    if (next !== undefined) close(next);
    else {
      words.push(stem(folded));
      written.push(token);
    }
  }
  close('and');
  return clauses;
}

function tokens(message: string): readonly string[] {
  const joined = message
    .normalize('NFKC')
    .replace(/\bto[- ]do\b/gi, 'todo')
    .replace(/\bnext to\b/gi, 'beside')
    .replace(/\b(?:called|named|titled)\s+["“”'‘’]([^"“”'‘’\n]{1,60})["“”'‘’]/gi, ' "$1" ');
  return joined.match(/"[^"\n]*"|[\p{L}\p{N}]+(?:'\p{L}+)?|[&,;.!?\n]/gu) ?? [];
}

function fold(token: string): string {
  return token.toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
}

/** Plurals and singulars meet: the same rule is applied to a blueprint's keywords. */
export function stem(word: string): string {
  return word.length > 3 && word.endsWith('s') && !word.endsWith('ss') && word !== 'cms' && word !== 'news' ? word.slice(0, -1) : word;
}
