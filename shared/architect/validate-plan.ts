/**
 * The one check of a whole plan against its project: called where a plan enters and again by the
 * generation that reads it back, since a person may have edited it meanwhile. Pure and total; all
 * reasons at once, in one refusal; what passes is the only thing that is recorded (I4, I5).
 */
import { AdorableError } from '../errors.ts';
import { orderFeatures } from './order-features.ts';
import { parsePlan } from './parse-plan.ts';
import type { PlanReason } from './parse-plan.ts';
import type { ArchitectProject, PlanCatalog, PlanFeature, ProposedPlan } from './plan.ts';

import { namesReasons } from './plan-names.ts';
import { targetReasons } from './plan-targets.ts';

declare const validated: unique symbol;
/** A plan that was held against its project; its features are in the order in which they are built. */
export type ValidPlan = ProposedPlan & { readonly [validated]: true };

const SHOWN = 20;

export function validatePlan(document: unknown, project: ArchitectProject, catalog: PlanCatalog): ValidPlan {
  const parsed = parsePlan(document);
  if ('reasons' in parsed) throw refused(parsed.reasons);
  const { plan } = parsed;
  const { ordered, circular } = orderFeatures(plan.features);
  const reasons = [
    ...duplicateReasons(plan),
    ...targetReasons(plan, project, catalog),
    ...namesReasons(plan, project, catalog),
    ...serviceReasons(plan, project, catalog),
    ...requirementReasons(plan, circular),
  ];
  if (reasons.length > 0) throw refused(reasons);
  return { ...plan, features: ordered } as ValidPlan;
}

/** The reasons of a refusal, for whoever proposes the next plan. */
export function reasonsOf(error: unknown): readonly PlanReason[] {
  return error instanceof AdorableError && error.type === 'PlanRefused' ? error.details['reasons'] as readonly PlanReason[] : [];
}

/** All reasons in one refusal. */
export function refused(reasons: readonly PlanReason[]): AdorableError {
  const shown = reasons.slice(0, SHOWN);
  const more = reasons.length > SHOWN ? ` (and ${String(reasons.length - SHOWN)} more)` : '';
  return new AdorableError('PlanRefused', `The plan does not fit the project, nothing was generated: ${shown.map(({ message }) => message).join(' ')}${more}`, {
    details: { reasons: shown, count: reasons.length },
  });
}

function duplicateReasons({ features }: ProposedPlan): PlanReason[] {
  return [
    ...repeated(features.map(({ id }) => id)).map((id): PlanReason => ({ code: 'duplicate-feature', at: 'features', message: `Two features have the id ${id}.` })),
    ...repeated(features.flatMap(({ subtasks }) => subtasks.map(({ id }) => id))).map((id): PlanReason => ({ code: 'duplicate-subtask', at: 'features', message: `Two subtasks have the id ${id}.` })),
  ];
}

function serviceReasons({ features }: ProposedPlan, project: ArchitectProject, catalog: PlanCatalog): PlanReason[] {
  const known = new Map(catalog.services.map((service) => [service.id, service]));
  const declared = new Set([...project.services, ...features.flatMap(({ services }) => services)]);
  return features.flatMap((feature, index) => [...new Set(feature.services)].flatMap((id): PlanReason[] => {
    const at = `features.${String(index)}.services`;
    const service = known.get(id);
    if (service === undefined) return [{ code: 'unknown-service', at, message: `Feature ${feature.id} adds the service ${JSON.stringify(id)}, which nobody defines.` }];
    return service.requires.filter((other) => !declared.has(other)).map((other) => ({
      code: 'missing-service', at, message: `Feature ${feature.id} adds the service ${id}, which requires ${other}: add that too.`,
    }));
  }));
}

function requirementReasons({ features }: ProposedPlan, circular: readonly PlanFeature[]): PlanReason[] {
  const byId = new Map(features.map((feature) => [feature.id, feature]));
  const wrong = features.flatMap((feature, index) => feature.requires.flatMap((id): PlanReason[] => {
    const at = `features.${String(index)}.requires`;
    const other = byId.get(id);
    if (other === undefined) return [{ code: 'unknown-requirement', at, message: `Feature ${feature.id} requires ${JSON.stringify(id)}, which the plan has not.` }];
    // Apps are built side by side and know nothing of each other's sources: an order among them would promise what nobody keeps.
    if (other.targetAppId !== feature.targetAppId) return [{ code: 'requirement-of-another-app', at, message: `Feature ${feature.id} requires ${id}, which is another app's: propose them one after the other.` }];
    return [];
  }));
  if (circular.length === 0) return wrong;
  const names = circular.map(({ id }) => id).join(', ');
  return [...wrong, { code: 'cyclic-requirement', at: 'features', message: `${names} wait for each other: take one of these requirements away.` }];
}

function repeated(ids: readonly string[]): readonly string[] {
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}

