/** Which new apps a message asks for: one blueprint per clause that names one, never a guess (I4). */
import type { Clause } from './clauses.ts';
import { matchClause } from './match.ts';
import type { ArchitectProject, Blueprint } from './plan.ts';
import { ambiguous, notUnderstood } from './refusals.ts';

export interface Wanted {
  readonly blueprint: Blueprint;
  readonly name: string | undefined;
}

export function readWishes(clauses: readonly Clause[], project: ArchitectProject, blueprints: readonly Blueprint[]): readonly Wanted[] {
  const wanted = new Map<string, Wanted>();
  let isProperty = false;
  for (const [index, clause] of clauses.entries()) {
    if (clause.joint === 'beside') continue;
    if (clause.joint === 'start') isProperty = false;
    const { blueprints: matches, isStrong } = matchClause(clause, blueprints);
    const fresh = matches.filter(({ id }) => !wanted.has(id));

    const isSubject = (clause.joint === 'about' || clause.joint === 'onto') && wanted.size > 0;
    if (clause.joint === 'with') isProperty = true;
    if (isSubject || fresh.length === 0) {
      keepName(wanted, clause);
      if (wanted.size > 0 && matches.length === 0 && !isSubject && !isProperty && asksForAnApp(clause)) throw notUnderstood(clause.text, blueprints);
      continue;
    }
    if (clause.joint === 'with' && wanted.size > 0) {
      if (isStrong) throw ambiguous(clauses[index - 1]?.text ?? '', [...[...wanted.values()].map((each) => each.blueprint), ...fresh]);
      continue;
    }
    // Weak words after the first app ("and a magazine for my team") do not make a second one.
    if (!isStrong && wanted.size > 0) continue;
    if (fresh.length > 1) throw ambiguous(clause.text, fresh);
    const [blueprint] = fresh;
    if (blueprint === undefined) continue;
    if (pointsAtLive(clause, blueprint, project)) continue;
    wanted.set(blueprint.id, { blueprint, name: clause.name });
    isProperty = false;
  }
  return [...wanted.values()];
}

/** `a blog about gardens called "Roots"`: the name stands in a later clause of the same app. */
function keepName(wanted: Map<string, Wanted>, clause: Clause): void {
  const last = [...wanted.values()].at(-1);
  if (last && clause.name !== undefined && last.name === undefined) wanted.set(last.blueprint.id, { ...last, name: clause.name });
}

/** "the blog", "my finance tracker": an app that is there, in passing, not a wish for another. */
function pointsAtLive(clause: Clause, blueprint: Blueprint, project: ArchitectProject): boolean {
  return clause.joint === 'and' && clause.words.some((word) => DEFINITE.has(word)) && project.apps.some((app) => !app.archived && app.blueprint === blueprint.id);
}

export const DEFINITE: ReadonlySet<string> = new Set(['my', 'the', 'our', 'this', 'that', 'existing']);

export function asksForAnApp({ words }: Clause): boolean {
  return words.some((word) => word === 'app' || word === 'site' || word === 'website' || word === 'another' || word === 'new');
}
