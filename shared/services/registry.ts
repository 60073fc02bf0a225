/**
 * Built-in and catalog services under one roof. Every lookup is total: an id that nobody defines
 * throws, it is never skipped (I4).
 */
import { AdorableError } from '../errors.ts';
import { BUILT_INS, COMPUTE, isCodeDefinedService } from './built-ins.ts';
import type { BuiltInService } from './built-ins.ts';
import { parseCatalogService } from './catalog.ts';
import type { CatalogService } from './catalog.ts';

export interface ServiceRegistry {
  readonly ids: readonly string[];
  readonly catalog: readonly CatalogService[];
  builtIn(id: string): BuiltInService | undefined;
  find(id: string): CatalogService | undefined;
  /** The catalog services among declared ids, in order; an id that nobody defines throws. */
  declared(ids: readonly string[]): readonly CatalogService[];
}

/** Names of Deployments and Services that are not catalog services. */
const RESERVED = new Set(['app', COMPUTE, 'neon', 'default']);

export function createRegistry(entries: readonly { readonly where: string; readonly value: unknown }[]): ServiceRegistry {
  const byId = new Map<string, CatalogService>();
  for (const { where, value } of entries) {
    const service = parseCatalogService(value, where);
    if (isCodeDefinedService(service.id)) throw refused(where, `takes the id ${service.id} of a built-in service`);
    if (RESERVED.has(service.id) || service.id.startsWith('app-')) throw refused(where, `takes the name ${service.id}, which a project's own Deployment has`);
    if (byId.has(service.id)) throw refused(where, `takes the id ${service.id} of another catalog service`);
    byId.set(service.id, service);
  }
  const catalog = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const builtIns = new Map(BUILT_INS.map((service) => [service.id, service]));
  for (const service of catalog) {
    const unknown = service.requires.find((id) => !builtIns.has(id) && !byId.has(id));
    if (unknown !== undefined) throw refused(service.id, `requires ${unknown}, which no service is`);
  }
  return {
    ids: [...builtIns.keys(), ...catalog.map((service) => service.id)],
    catalog,
    builtIn: (id) => builtIns.get(id),
    find: (id) => byId.get(id),
    declared: (ids) => [...new Set(ids)].sort().flatMap((id) => {
      if (isCodeDefinedService(id)) return [];
      const service = byId.get(id);
      if (!service) throw new AdorableError('UnresolvedTarget', `The service ${id} is declared but in no catalog: put its service.json back, then resume.`);
      return [service];
    }),
  };
}

function refused(where: string, why: string): AdorableError {
  return new AdorableError('InvalidInput', `${where} ${why}: choose another.`);
}
