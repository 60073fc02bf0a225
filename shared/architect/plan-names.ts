/**
 * Names of apps to be: one rule for slugs (`shared/slug.ts`), one namespace with services and live
 * apps, and none that a reader would take for another. An archived app keeps no name.
 */
import { AdorableError } from '../errors.ts';
import { parseSlug, slugSkeleton } from '../slug.ts';
import type { PlanReason } from './parse-plan.ts';
import type { ArchitectProject, PlanCatalog, ProposedPlan } from './plan.ts';

export function namesReasons({ features }: ProposedPlan, project: ArchitectProject, catalog: PlanCatalog): PlanReason[] {
  const live = project.apps.filter((app) => !app.archived).map((app) => app.slug);
  const services = catalog.services.map(({ id }) => id);
  return features.flatMap((feature, index) => {
    if (feature.createsApp === undefined) return [];
    const { slug } = feature.createsApp;
    const say = (code: PlanReason['code'], message: string): PlanReason => ({ code, at: `features.${String(index)}.createsApp.slug`, message });
    const earlier = features.slice(0, index).flatMap(({ createsApp }) => (createsApp === undefined ? [] : [createsApp.slug]));
    const reasons: PlanReason[] = [];
    const malformed = malformation(slug);
    if (malformed !== undefined) reasons.push(say('slug', malformed));
    if (services.includes(slug)) reasons.push(say('slug-is-service', `The slug ${slug} is a service id: choose another.`));
    if (live.includes(slug)) reasons.push(say('slug-taken', `The slug ${slug} belongs to a live app: choose another.`));
    if (earlier.includes(slug)) reasons.push(say('duplicate-slug', `Two features create an app with the slug ${slug}.`));
    const twin = [...live, ...services, ...earlier].find((other) => other !== slug && slugSkeleton(other) === slugSkeleton(slug));
    if (twin !== undefined) reasons.push(say('slug-look-alike', `The slug ${JSON.stringify(slug)} would be taken for ${twin}: choose another.`));
    return reasons;
  });
}

function malformation(slug: string): string | undefined {
  try {
    parseSlug(slug);
    return undefined;
  } catch (error) {
    if (error instanceof AdorableError) return error.message;
    throw error;
  }
}
