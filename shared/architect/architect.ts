/**
 * A sentence becomes a plan: apps to create, and changes to apps. Pure and total: a message is
 * understood, or refused with what would be understood; it is never guessed into an app (I4).
 */
import { AdorableError } from '../errors.ts';
import { toSlug } from '../slug.ts';
import { readChange, refuseChange, resolveChange, toGroups, unknownChange } from './changes.ts';
import type { Change } from './changes.ts';
import { toClauses } from './clauses.ts';
import type { ArchitectProject, Blueprint, PlanFeature, ProposedPlan } from './plan.ts';
import { PLAN_VERSION, sentinelOf } from './plan.ts';
import { notUnderstood } from './refusals.ts';
import { readWishes } from './wishes.ts';
import type { Wanted } from './wishes.ts';

const MAX_MESSAGE = 4000;

/** A message as a plan keeps it. */
export function readMessage(message: string): string {
  const text = message.trim();
  if (text === '') throw new AdorableError('InvalidInput', 'The message is empty: say what to build.');
  if (text.length > MAX_MESSAGE) throw new AdorableError('InvalidInput', `The message is longer than ${String(MAX_MESSAGE)} characters: shorten it.`);
  return text;
}

export function architect(message: string, project: ArchitectProject, blueprints: readonly Blueprint[]): ProposedPlan {
  const text = readMessage(message);
  const groups = toGroups(toClauses(text)).map((group) => {
    const found = readChange(group, project, blueprints);
    return { group, found, unknown: found === undefined ? unknownChange(group, blueprints) : undefined };
  });
  const wanted = readWishes(groups.flatMap(({ group, found, unknown }) => ((found === undefined && unknown === undefined) || found?.leaves === true ? group : [])), project, blueprints);
  for (const { group, unknown } of groups) {
    // Of an app that the same message creates it is one more property.
    if (unknown !== undefined && !wanted.some(({ blueprint }) => blueprint === unknown)) refuseChange(group, unknown, project);
  }
  const changes = groups.flatMap(({ found }) => (found === undefined ? [] : resolveChange(found.wish, project, { blueprints, wanted })));
  if (wanted.length === 0 && changes.length === 0) throw notUnderstood(text, blueprints);
  const created = new Map(wanted.map((wish) => [wish.blueprint.id, toCreation(wish, project)]));
  return { version: PLAN_VERSION, message: text, features: [...created.values(), ...changes.flatMap((change) => toChange(change, created))] };
}

function toCreation({ blueprint, name }: Wanted, project: ArchitectProject): PlanFeature {
  const slug = freeSlug({ blueprint, name }, project);
  return {
    id: slug,
    title: blueprint.title,
    blueprint: blueprint.id,
    change: null,
    targetAppId: sentinelOf(slug),
    createsApp: { slug, kind: blueprint.kind, name: name ?? blueprint.name },
    services: blueprint.services,
    requires: [],
    subtasks: subtasksOf(slug, blueprint),
  };
}

/** The blueprint's own slug; while that is taken, one from the name that the message gives the app. */
function freeSlug({ blueprint, name }: Wanted, project: ArchitectProject): string {
  const live = project.apps.filter((app) => !app.archived).map((app) => app.slug);
  if (!live.includes(blueprint.slug)) return blueprint.slug;
  const own = name === undefined ? undefined : toSlug(name);
  if (own !== undefined && !live.includes(own)) return own;
  throw new AdorableError(
    'InvalidInput',
    `This project already has the app ${own ?? blueprint.slug} (live: ${live.join(', ')}): undo to before it, ask for another kind of app, or give it a name of its own (called "…").`,
    { details: { slug: own ?? blueprint.slug } },
  );
}

function toChange({ blueprint, change, app }: Change, created: ReadonlyMap<string, PlanFeature>): PlanFeature[] {
  const creator = app === undefined ? created.get(blueprint.id) : undefined;
  const owner = app?.slug ?? creator?.id;
  if (owner === undefined) throw new AdorableError('InvariantViolated', `The change ${change.id} has neither an app nor one that is created.`);
  const id = `${owner}-${change.id}`;
  return [{
    id,
    title: `${change.title} for ${creator?.createsApp?.name ?? app?.name ?? owner}`,
    blueprint: blueprint.id,
    change: change.id,
    targetAppId: app?.id ?? sentinelOf(owner),
    services: change.services,
    requires: creator === undefined ? [] : [creator.id],
    subtasks: subtasksOf(id, change),
  }];
}

function subtasksOf(id: string, { subtasks }: Pick<Blueprint, 'subtasks'>): PlanFeature['subtasks'] {
  return subtasks.map((subtask) => ({ id: `${id}/${subtask.id}`, title: subtask.title }));
}
