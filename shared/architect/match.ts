/** Which blueprint one clause names: one, none, or several that it fits equally well. */
import type { Clause } from './clauses.ts';
import { stem } from './clauses.ts';
import type { Blueprint, Keywords } from './plan.ts';

export interface Match {
  readonly blueprints: readonly Blueprint[];
  readonly isStrong: boolean;
}

const ENOUGH_WEAK = 2;

export function matchClause(clause: Clause, blueprints: readonly Blueprint[]): Match {
  // The head of an English compound comes last: a "finance blog" is a blog, not a finance tracker.
  for (const word of clause.words.toReversed()) {
    const named = blueprints.filter((blueprint) => has(blueprint.keywords.strong, word));
    if (named.length > 0) return { blueprints: named, isStrong: true };
  }
  const scores = blueprints.map((blueprint) => ({
    blueprint,
    score: new Set(clause.words.filter((word) => has(blueprint.keywords.weak, word))).size,
  }));
  const best = Math.max(0, ...scores.map(({ score }) => score));
  const fitting = scores.filter(({ score }) => score === best && score > 0).map(({ blueprint }) => blueprint);
  // One weak word alone names nothing, unless several blueprints claim it: then the answer names them.
  if (best < ENOUGH_WEAK && fitting.length < 2) return { blueprints: [], isStrong: false };
  return { blueprints: fitting, isStrong: false };
}

/** One strong word, or two weak ones. */
export function names(clause: Clause, { strong, weak }: Keywords): boolean {
  return clause.words.some((word) => has(strong, word)) || new Set(clause.words.filter((word) => has(weak, word))).size >= ENOUGH_WEAK;
}

function has(keywords: readonly string[], word: string): boolean {
  return keywords.some((keyword) => stem(keyword) === word);
}
