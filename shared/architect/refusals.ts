/** What the architect answers when it does not understand, or could only guess: it names what there is. */
import { AdorableError } from '../errors.ts';
import type { ArchitectApp, Blueprint } from './plan.ts';

export function notUnderstood(text: string, blueprints: readonly Blueprint[]): AdorableError {
  const known = blueprints.map((blueprint) => `${article(blueprint.title)} (${blueprint.keywords.strong.slice(0, 3).join(', ')})`).join('; ');
  const changes = blueprints.flatMap((blueprint) => blueprint.changes.map((change) => `${change.title.toLowerCase()} for ${article(blueprint.title)}`)).join('; ');
  return new AdorableError('NoBlueprint', `No blueprint understands “${shorten(text)}”. Ask for one of: ${known}${changes === '' ? '' : `; or for a change: ${changes}`}.`, {
    details: { blueprints: blueprints.map(({ id }) => id) },
  });
}

export function ambiguous(text: string, matches: readonly Blueprint[]): AdorableError {
  const names = matches.map((blueprint) => article(blueprint.title)).join(' or ');
  return new AdorableError('NoBlueprint', `“${shorten(text)}” could mean ${names}: name one, or join them with “and” for both.`, {
    details: { blueprints: matches.map(({ id }) => id) },
  });
}

export function noSuchApp(text: string, wanted: string, live: readonly ArchitectApp[]): AdorableError {
  return new AdorableError('UnresolvedTarget', `“${shorten(text)}” needs ${wanted}, and this project has none (live: ${namesOf(live)}): ask for one first, nothing was planned.`, {
    details: { live: live.map(({ slug }) => slug) },
  });
}

export function severalApps(text: string, candidates: readonly { readonly slug: string; readonly name: string }[]): AdorableError {
  return new AdorableError('UnresolvedTarget', `“${shorten(text)}” could mean ${candidates.map(({ slug, name }) => `${slug} (“${name}”)`).join(' or ')}: say which (called "…"), nothing was planned.`, {
    details: { candidates: candidates.map(({ slug }) => slug) },
  });
}

export function cannotChange(text: string, app: { readonly slug: string }, blueprint: Blueprint | undefined): AdorableError {
  const can = blueprint?.changes.map(({ title }) => title.toLowerCase()).join(', ');
  return new AdorableError('UnresolvedTarget', `${app.slug} cannot be changed as “${shorten(text)}” says: it can be given ${can === undefined || can === '' ? 'nothing yet' : can}.`, {
    details: { app: app.slug },
  });
}

const namesOf = (apps: readonly ArchitectApp[]): string => apps.map(({ slug }) => slug).join(', ') || 'no app';
export const article = (title: string): string => `${/^[aeiou]/i.test(title) ? 'an' : 'a'} ${title.toLowerCase()}`;
const shorten = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);
