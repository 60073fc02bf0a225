/**
 * Tiers from `requires` alone: whatever a Deployment requires is in an earlier tier. A built-in
 * resolves to the Deployment that stands for it, to what it requires itself, or to nothing here
 * when it is external. No names are known to this file.
 */
import { AdorableError } from '../errors.ts';
import type { ServiceRegistry } from './registry.ts';

export interface Deployable {
  /** The Deployment's name. */
  readonly name: string;
  /** Service ids. */
  readonly requires: readonly string[];
}

export function deployOrder(items: readonly Deployable[], registry: Pick<ServiceRegistry, 'builtIn'>): readonly (readonly string[])[] {
  const needs = new Map(items.map((item) => [item.name, new Set(item.requires.flatMap((id) => deploymentsOf(id, registry)))]));
  for (const [name, wanted] of needs) {
    for (const other of wanted) {
      if (!needs.has(other)) throw new AdorableError('UnresolvedTarget', `${name} requires ${other}, which the project does not declare: add that service.`);
    }
  }
  const tiers: string[][] = [];
  const done = new Set<string>();
  while (done.size < needs.size) {
    const tier = [...needs].filter(([name, wanted]) => !done.has(name) && [...wanted].every((other) => done.has(other))).map(([name]) => name).sort();
    if (tier.length === 0) {
      const stuck = [...needs.keys()].filter((name) => !done.has(name)).sort().join(', ');
      throw new AdorableError('InvalidInput', `${stuck} require each other: take one of these requirements away.`);
    }
    for (const name of tier) done.add(name);
    tiers.push(tier);
  }
  return tiers;
}

function deploymentsOf(id: string, registry: Pick<ServiceRegistry, 'builtIn'>): readonly string[] {
  const builtIn = registry.builtIn(id);
  if (!builtIn) return [id];
  if (builtIn.scope === 'app') return builtIn.requires.flatMap((required) => deploymentsOf(required, registry));
  return builtIn.deployment === null ? [] : [builtIn.deployment];
}
