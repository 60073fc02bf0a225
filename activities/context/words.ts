/** Words of source text: whole identifiers and their parts, so that `provider` finds `TRPCProvider`. */

const MAX_WORDS = 4_000;
const MAX_LENGTH = 60;
const WORD = /[\p{L}\p{N}_$]{2,}/gu;
const PART = /\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|\p{N}+|\p{Lo}+/gu;

export function wordsOf(text: string): readonly string[] {
  const words = new Set<string>();
  for (const [whole] of text.matchAll(WORD)) {
    if (words.size >= MAX_WORDS) break;
    if (whole.length > MAX_LENGTH) continue;
    words.add(whole.toLowerCase());
    const parts = [...whole.matchAll(PART)].map(([part]) => part.toLowerCase());
    if (parts.length > 1) for (const part of parts) if (part.length > 1) words.add(part);
  }
  return [...words];
}
