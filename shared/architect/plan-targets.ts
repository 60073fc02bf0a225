/**
 * What each feature of a plan aims at: a live app of this project, or the one that a feature of the
 * same plan creates. Another project's app is as unknown as one that never was (I4, I8).
 */
import type { PlanReason } from './parse-plan.ts';
import type { ArchitectApp, ArchitectProject, PlanCatalog, PlanFeature, ProposedPlan } from './plan.ts';
import { BY_MODEL, creatorOf, sentinelOf } from './plan.ts';

type Say = (code: PlanReason['code'], field: string, message: string) => PlanReason;

interface Target {
  readonly blueprint: string | null;
  readonly name: string;
  readonly changes: readonly string[];
}

export function targetReasons(plan: ProposedPlan, project: ArchitectProject, catalog: PlanCatalog): PlanReason[] {
  const creators = new Map(plan.features.filter(({ createsApp }) => createsApp !== undefined).map((feature) => [feature.id, feature]));
  const apps = new Map<string, ArchitectApp>(project.apps.map((app) => [app.id, app]));
  return plan.features.flatMap((feature, index) => {
    const say: Say = (code, field, message) => ({ code, at: `features.${String(index)}.${field}`, message });
    const found = targetOf(feature, { creators, apps, say });
    if ('reason' in found) return [found.reason, ...blueprintReasons(feature, undefined, { catalog, say })];
    return [...blueprintReasons(feature, found, { catalog, say }), ...twice(plan, feature, say)];
  });
}

interface Known {
  readonly creators: ReadonlyMap<string, PlanFeature>;
  readonly apps: ReadonlyMap<string, ArchitectApp>;
  readonly say: Say;
}

function targetOf(feature: PlanFeature, { creators, apps, say }: Known): Target | { readonly reason: PlanReason } {
  const { id, targetAppId, createsApp } = feature;
  const creatorId = creatorOf(feature);
  if (createsApp !== undefined && targetAppId !== sentinelOf(id)) {
    return { reason: say('creator-without-sentinel', 'targetAppId', `Feature ${id} creates an app, but aims at ${JSON.stringify(targetAppId)} instead of ${sentinelOf(id)}.`) };
  }
  if (creatorId !== undefined) {
    const creator = creators.get(creatorId);
    if (creator === undefined) return { reason: say('sentinel-without-creator', 'targetAppId', `Feature ${id} aims at ${JSON.stringify(targetAppId)}, but no feature ${JSON.stringify(creatorId)} creates an app.`) };
    return { blueprint: creator.blueprint, name: creator.createsApp?.slug ?? creatorId, changes: [] };
  }
  const app = apps.get(targetAppId);
  if (app === undefined) return { reason: say('unknown-app', 'targetAppId', `Feature ${id} aims at ${JSON.stringify(targetAppId)}, which is no app of this project.`) };
  if (app.archived) return { reason: say('archived-app', 'targetAppId', `Feature ${id} aims at ${app.slug}, which is archived.`) };
  return { blueprint: app.blueprint, name: app.slug, changes: app.changes };
}

function blueprintReasons(feature: PlanFeature, target: Target | undefined, { catalog, say }: { catalog: PlanCatalog; say: Say }): PlanReason[] {
  const { id, change, createsApp } = feature;
  if (feature.blueprint === BY_MODEL) return modelReasons(feature, catalog, say);
  if (feature.brief !== undefined) return [say('brief', 'brief', `Feature ${id} is built from the blueprint ${JSON.stringify(feature.blueprint)}, which reads no brief.`)];
  const blueprint = catalog.blueprints.find((known) => known.id === feature.blueprint);
  if (blueprint === undefined) return [say('unknown-blueprint', 'blueprint', `Feature ${id} is built from ${JSON.stringify(feature.blueprint)}, which is no blueprint.`)];
  const reasons: PlanReason[] = [];
  if (createsApp !== undefined) {
    if (change !== null) reasons.push(say('overwrites-app', 'change', `Feature ${id} creates an app and changes one: make two features of it.`));
    if (createsApp.kind !== blueprint.kind) reasons.push(say('wrong-kind', 'createsApp.kind', `Feature ${id} creates a ${createsApp.kind} app, but ${blueprint.id} is ${blueprint.kind}.`));
    return reasons;
  }
  if (change === null) return [say('overwrites-app', 'change', `Feature ${id} would write ${blueprint.id} over an app that is there: name one of its changes (${known(blueprint.changes)}).`)];
  if (!blueprint.changes.some((one) => one.id === change)) reasons.push(say('unknown-change', 'change', `Feature ${id} asks for ${JSON.stringify(change)}, which ${blueprint.id} has not: it has ${known(blueprint.changes)}.`));
  if (target === undefined) return reasons;
  if (target.blueprint !== blueprint.id) reasons.push(say('wrong-blueprint', 'blueprint', `Feature ${id} is a change of ${blueprint.id}, but ${target.name} was made from ${target.blueprint ?? 'something else'}.`));
  if (target.changes.includes(change)) reasons.push(say('change-present', 'change', `${target.name} has ${change} already.`));
  return reasons;
}

/** What it does to an app bears the feature's id, so that nobody takes it for a blueprint's change or for what made the app. */
function modelReasons({ id, change, createsApp, brief }: PlanFeature, catalog: PlanCatalog, say: Say): PlanReason[] {
  const reasons: PlanReason[] = [];
  if (catalog.model !== true) reasons.push(say('no-model', 'blueprint', `Feature ${id} is written by a model, and none is configured here (ADORABLE_MODEL_URL).`));
  if (brief === undefined) reasons.push(say('brief', 'brief', `Feature ${id} is written by a model, which needs a brief.`));
  const wanted = createsApp === undefined ? id : null;
  if (change !== wanted) reasons.push(say('unknown-change', 'change', `Feature ${id} is written by a model: its change is ${JSON.stringify(wanted)}, not ${JSON.stringify(change)}.`));
  return reasons;
}

function twice({ features }: ProposedPlan, feature: PlanFeature, say: Say): PlanReason[] {
  const first = features.find((other) => other.change !== null && other.change === feature.change && other.targetAppId === feature.targetAppId);
  return first === undefined || first === feature ? [] : [say('duplicate-change', 'change', `Features ${first.id} and ${feature.id} are the same change of the same app.`)];
}

const known = (changes: readonly { readonly id: string }[]): string => changes.map(({ id }) => id).join(', ') || 'none';
