/**
 * The order in which a plan's features are built: what an app is made from comes before what changes
 * it, then `requires`, then the order of the document. Stable, so that a repeat builds the same bytes (I9).
 */
import { creatorOf } from './plan.ts';
import type { PlanFeature } from './plan.ts';

type Ordered = Pick<PlanFeature, 'id' | 'targetAppId' | 'requires'>;

export interface FeatureOrder<T> {
  readonly ordered: readonly T[];
  /** Features that wait for each other, in a circle or behind one. */
  readonly circular: readonly T[];
}

export function orderFeatures<T extends Ordered>(features: readonly T[]): FeatureOrder<T> {
  const known = new Set(features.map(({ id }) => id));
  const left = [...features];
  const ordered: T[] = [];
  const done = new Set<string>();
  for (;;) {
    const at = left.findIndex((feature) => before(feature).every((id) => done.has(id) || !known.has(id)));
    const [next] = at === -1 ? [] : left.splice(at, 1);
    if (next === undefined) return { ordered, circular: left };
    ordered.push(next);
    done.add(next.id);
  }
}

function before(feature: Ordered): readonly string[] {
  const creator = creatorOf(feature);
  return creator === undefined || creator === feature.id ? feature.requires : [creator, ...feature.requires];
}
