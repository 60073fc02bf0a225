/**
 * A sentence becomes a plan. Pure and total: a message is understood, or refused with what would be
 * understood; it is never guessed into an app that exists (I4).
 */
import { AdorableError } from '../errors.ts';
import type { Clause } from './clauses.ts';
import { toClauses } from './clauses.ts';
import { matchClause } from './match.ts';
import type { ArchitectProject, Blueprint, PlanFeature, ProposedPlan } from './plan.ts';

const MAX_MESSAGE = 4000;

interface Wanted {
  readonly blueprint: Blueprint;
  readonly name: string | undefined;
}

export function architect(message: string, project: ArchitectProject, blueprints: readonly Blueprint[]): ProposedPlan {
  const text = message.trim();
  if (text === '') throw new AdorableError('InvalidInput', 'The message is empty: say what to build.');
  if (text.length > MAX_MESSAGE) throw new AdorableError('InvalidInput', `The message is longer than ${String(MAX_MESSAGE)} characters: shorten it.`);

  const wanted = readWishes(toClauses(text), project, blueprints);
  if (wanted.length === 0) throw notUnderstood(text, blueprints);
  for (const { blueprint } of wanted) refuseTaken(blueprint, project);
  return { message: text, features: wanted.map(toFeature) };
}

function readWishes(clauses: readonly Clause[], project: ArchitectProject, blueprints: readonly Blueprint[]): readonly Wanted[] {
  const wanted = new Map<string, Wanted>();
  let isProperty = false;
  for (const [index, clause] of clauses.entries()) {
    if (clause.joint === 'beside') continue;
    if (clause.joint === 'start') isProperty = false;
    const { blueprints: matches, isStrong } = matchClause(clause, blueprints);
    const fresh = matches.filter(({ id }) => !wanted.has(id));

    const isSubject = clause.joint === 'about' && wanted.size > 0;
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
  const isDefinite = clause.words.some((word) => word === 'my' || word === 'the' || word === 'our' || word === 'existing');
  return clause.joint === 'and' && isDefinite && project.apps.some((app) => app.slug === blueprint.slug);
}

function asksForAnApp({ words }: Clause): boolean {
  return words.some((word) => word === 'app' || word === 'site' || word === 'website' || word === 'another');
}

function refuseTaken(blueprint: Blueprint, project: ArchitectProject): void {
  if (!project.apps.some((app) => app.slug === blueprint.slug)) return;
  const others = project.apps.map((app) => app.slug).join(', ');
  throw new AdorableError(
    'InvalidInput',
    `This project already has the app ${blueprint.slug} (live: ${others}): undo to before it or delete it first, or ask for another kind of app.`,
    { details: { slug: blueprint.slug } },
  );
}

function toFeature({ blueprint, name }: Wanted): PlanFeature {
  const id = blueprint.slug;
  return {
    id,
    title: blueprint.title,
    blueprint: blueprint.id,
    targetAppId: `$NEW:${id}`,
    createsApp: { slug: blueprint.slug, kind: blueprint.kind, name: name ?? blueprint.name },
    services: blueprint.services,
    requires: [],
    subtasks: blueprint.subtasks.map((subtask) => ({ id: `${id}/${subtask.id}`, title: subtask.title })),
  };
}

function notUnderstood(text: string, blueprints: readonly Blueprint[]): AdorableError {
  const known = blueprints.map((blueprint) => `${article(blueprint.title)} (${blueprint.keywords.strong.slice(0, 3).join(', ')})`).join('; ');
  return new AdorableError('NoBlueprint', `No blueprint understands “${shorten(text)}”. Ask for one of: ${known}.`, {
    details: { blueprints: blueprints.map(({ id }) => id) },
  });
}

function ambiguous(text: string, matches: readonly Blueprint[]): AdorableError {
  const names = matches.map((blueprint) => article(blueprint.title)).join(' or ');
  return new AdorableError('NoBlueprint', `“${shorten(text)}” could mean ${names}: name one, or join them with “and” for both.`, {
    details: { blueprints: matches.map(({ id }) => id) },
  });
}

const article = (title: string): string => `a ${title.toLowerCase()}`;
const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
