/**
 * What a message asks of apps that are there, or that it creates itself. The app is the one it names,
 * else the only one that the change fits; none or several is a refusal, never the primary app (I4).
 */
import { AdorableError } from '../errors.ts';
import type { Clause } from './clauses.ts';
import { stem } from './clauses.ts';
import { matchClause, names } from './match.ts';
import type { ArchitectApp, ArchitectProject, Blueprint, BlueprintChange } from './plan.ts';
import { article, cannotChange, notUnderstood, noSuchApp, severalApps } from './refusals.ts';
import { asksForAnApp, DEFINITE } from './wishes.ts';
import type { Wanted } from './wishes.ts';

/** Clauses that say one thing: a head and what is joined to it by "with", "to", "as". */
export type Group = readonly Clause[];

interface Mention {
  readonly blueprint: Blueprint;
  readonly change: BlueprintChange;
}

export interface ChangeWish {
  readonly text: string;
  readonly group: Group;
  readonly mentions: readonly Mention[];
  /** The message creates the app that it changes: "a blog with tags". */
  readonly ofNew: Blueprint | undefined;
}

export interface Change {
  readonly blueprint: Blueprint;
  readonly change: BlueprintChange;
  /** Undefined: the app of this blueprint that the same message creates. */
  readonly app: ArchitectApp | undefined;
}

export function toGroups(clauses: readonly Clause[]): readonly Group[] {
  const groups: Clause[][] = [];
  for (const clause of clauses) {
    const last = groups.at(-1);
    if (last === undefined || clause.joint === 'start' || clause.joint === 'and') groups.push([clause]);
    else last.push(clause);
  }
  return groups;
}

/** What a group wishes of an app; `leaves` says whether it also speaks of a new one. */
export function readChange(group: Group, project: ArchitectProject, blueprints: readonly Blueprint[]): { readonly wish: ChangeWish; readonly leaves: boolean } | undefined {
  const all = blueprints.flatMap((blueprint) => blueprint.changes.filter((change) => group.some((clause) => names(clause, change.keywords))).map((change): Mention => ({ blueprint, change })));
  const fitting = all.filter((mention) => group.some((clause) => strongIn(clause, mention.blueprint)));
  const mentions = fitting.length > 0 ? fitting : all;
  if (mentions.length === 0) return undefined;
  const text = group.map((clause) => clause.text).join(' ');

  const wished = mentions.map(({ blueprint }) => blueprint).find((blueprint) => group.some((clause) => isNew(clause, blueprint, project)));
  if (wished !== undefined) {
    const own = mentions.filter(({ blueprint, change }) => blueprint === wished && group.some((clause) => !isNew(clause, wished, project) && names(clause, change.keywords)));
    // "a budget app": the word of a change that only names the app.
    return own.length === 0 ? undefined : { wish: { text, group, mentions: own, ofNew: wished }, leaves: true };
  }
  // "a task board with tags": a wish for something that no change is of.
  if (fitting.length === 0 && group.some((clause) => blueprints.some((blueprint) => isNew(clause, blueprint, project)))) return undefined;
  return { wish: { text, group, mentions, ofNew: undefined }, leaves: false };
}

/** "add comments to the blog": a change that nobody knows, of an app that is meant to be there. */
export function unknownChange(group: Group, blueprints: readonly Blueprint[]): Blueprint | undefined {
  const [head] = group;
  if (head === undefined || asksForAnApp(head) || blueprints.some((blueprint) => strongIn(head, blueprint))) return undefined;
  const place = group.find((clause) => clause.joint === 'onto' && clause.words.some((word) => DEFINITE.has(word)) && blueprints.some((blueprint) => pointsAt(clause, blueprint)));
  return place === undefined ? undefined : blueprints.find((blueprint) => pointsAt(place, blueprint));
}

export function refuseChange(group: Group, blueprint: Blueprint, project: ArchitectProject): never {
  const text = group.map((clause) => clause.text).join(' ');
  const live = project.apps.filter((app) => !app.archived);
  const app = live.find((one) => one.blueprint === blueprint.id);
  throw app === undefined ? noSuchApp(text, article(blueprint.title), live) : cannotChange(text, app, blueprint);
}

export function resolveChange(wish: ChangeWish, project: ArchitectProject, known: { blueprints: readonly Blueprint[]; wanted: readonly Wanted[] }): readonly Change[] {
  const { blueprints, wanted } = known;
  const live = project.apps.filter((app) => !app.archived);
  const { ofNew } = wish;
  if (ofNew !== undefined) {
    // The wish for the app was read as one for another kind, or not at all.
    if (!wanted.some(({ blueprint }) => blueprint === ofNew)) throw notUnderstood(wish.text, blueprints);
    return wish.mentions.map(({ blueprint, change }) => ({ blueprint, change, app: undefined }));
  }

  const named = namedApps(wish.group, live, blueprints);
  const kinds = new Set(wish.mentions.map(({ blueprint }) => blueprint.id));
  const candidates = named ?? live.filter((app) => app.blueprint !== null && kinds.has(app.blueprint));
  const created = named === undefined ? wanted.filter(({ blueprint }) => kinds.has(blueprint.id)) : [];
  const [app] = candidates;
  if (candidates.length + created.length > 1) throw severalApps(wish.text, [...candidates, ...created.map(({ blueprint, name }) => ({ slug: blueprint.slug, name: name ?? blueprint.name }))]);
  if (app === undefined) {
    const [fresh] = created;
    if (fresh === undefined) throw noSuchApp(wish.text, neededBy(wish, blueprints), live);
    return wish.mentions.filter(({ blueprint }) => blueprint === fresh.blueprint).map(({ blueprint, change }) => ({ blueprint, change, app: undefined }));
  }
  const own = wish.mentions.filter(({ blueprint }) => blueprint.id === app.blueprint);
  if (own.length === 0) throw cannotChange(wish.text, app, blueprints.find(({ id }) => id === app.blueprint));
  for (const { change } of own) {
    if (app.changes.includes(change.id)) throw new AdorableError('PreconditionFailed', `${app.slug} has that already (${change.title.toLowerCase()}): ask for something else.`, { details: { app: app.slug, change: change.id } });
  }
  return own.map(({ blueprint, change }) => ({ blueprint, change, app }));
}

/** Apps that the group names by their own name, else by their kind; undefined when it names none, empty when none of them is there. */
function namedApps(group: Group, live: readonly ArchitectApp[], blueprints: readonly Blueprint[]): readonly ArchitectApp[] | undefined {
  const words = new Set(group.flatMap((clause) => clause.words));
  const quoted = group.flatMap((clause) => clause.name ?? []).map((name) => name.toLowerCase());
  const called = live.filter((app) => quoted.includes(app.name.toLowerCase()) || quoted.includes(app.slug));
  if (called.length > 0) return called;
  const byName = live.filter((app) => isSpelled(app.slug.split('-'), words) || isSpelled(app.name.toLowerCase().split(/[^\p{L}\p{N}]+/u), words));
  const longest = Math.max(0, ...byName.map(({ slug }) => slug.split('-').length));
  const exact = byName.filter(({ slug }) => slug.split('-').length === longest);
  // "the blog" is every blog's name; "the garden blog" is one's.
  if (exact.length > 0 && (longest > 1 || exact.length > 1)) return exact;
  const kinds = blueprints.filter((blueprint) => group.some((clause) => pointsAt(clause, blueprint)));
  if (kinds.length === 0) return exact.length > 0 ? exact : undefined;
  return live.filter((app) => kinds.some(({ id }) => id === app.blueprint));
}

function isSpelled(parts: readonly string[], words: ReadonlySet<string>): boolean {
  return parts.length > 0 && parts.every((part) => part !== '' && words.has(stem(part)));
}

function neededBy(wish: ChangeWish, blueprints: readonly Blueprint[]): string {
  const pointed = blueprints.filter((blueprint) => wish.group.some((clause) => pointsAt(clause, blueprint)));
  const kinds = pointed.length > 0 ? pointed : [...new Set(wish.mentions.map(({ blueprint }) => blueprint))];
  return kinds.map(({ title }) => article(title)).join(' or ');
}

const strongIn = (clause: Clause, blueprint: Blueprint): boolean => blueprint.keywords.strong.some((keyword) => clause.words.includes(stem(keyword)));

/** The clause names an app of this kind, by a word that no change of it claims. */
function pointsAt(clause: Clause, blueprint: Blueprint): boolean {
  const claimed = new Set(blueprint.changes.flatMap(({ keywords }) => keywords.strong.map(stem)));
  const { blueprints, isStrong } = matchClause({ ...clause, words: clause.words.filter((word) => !claimed.has(word)) }, [blueprint]);
  return isStrong && blueprints.length > 0;
}

/** "a blog", "another blog": the article before the noun says that it is not there yet. */
function isNew(clause: Clause, blueprint: Blueprint, project: ArchitectProject): boolean {
  if (!strongIn(clause, blueprint)) return false;
  if (asksForAnApp(clause)) return true;
  const at = clause.words.findLastIndex((word) => blueprint.keywords.strong.some((keyword) => stem(keyword) === word));
  const article = clause.words.slice(0, at).findLast((word) => word === 'a' || word === 'an' || DEFINITE.has(word));
  if (article === 'a' || article === 'an') return pointsAt(clause, blueprint) || !project.apps.some((app) => !app.archived && app.blueprint === blueprint.id);
  // Bare: "finance tracker with budgets" is a wish, "add budgets" a change, as long as there is one to change.
  return article === undefined && (clause.joint === 'start' || clause.joint === 'and') && !project.apps.some((app) => !app.archived && app.blueprint === blueprint.id);
}
