/** Plan documents and a small catalog to hold them against, for tests that are not about real blueprints. */
import type { ArchitectApp, ArchitectProject, Blueprint, BlueprintChange, PlanCatalog, PlanFeature } from '../../shared/architect/plan.ts';
import type { AppId } from '../../shared/ids.ts';

const change = (id: string): BlueprintChange => ({
  id, title: id, summary: id, keywords: { strong: [id], weak: [] }, services: [], subtasks: [{ id: 'do', title: `Do ${id}` }],
});

const blueprint = (id: string, kind: Blueprint['kind'], changes: readonly string[]): Blueprint => ({
  id, title: id, summary: id, kind, slug: id, name: id, keywords: { strong: [id], weak: [] },
  services: kind === 'react' ? ['react-frontend'] : ['react-frontend', 'trpc-api', 'postgres'], subtasks: [{ id: 'make', title: `Make ${id}` }], changes: changes.map(change),
});

export const CATALOG: PlanCatalog = {
  blueprints: [blueprint('blog', 'react', ['tags', 'search']), blueprint('tracker', 'fullstack', ['budgets'])],
  services: [
    { id: 'react-frontend', requires: [] }, { id: 'trpc-api', requires: ['postgres'] }, { id: 'postgres', requires: [] }, { id: 's3', requires: [] },
    { id: 'directus', requires: ['postgres'] },
  ],
};

export const appOf = (n: number, slug: string, rest: Partial<ArchitectApp> = {}): ArchitectApp => ({
  id: `a_${String(n).padStart(12, '0')}` as AppId, slug, name: slug, kind: 'react', isPrimary: n === 1, archived: false, blueprint: 'blog', changes: [], ...rest,
});

export const projectOf = (...apps: readonly ArchitectApp[]): ArchitectProject => ({ apps, services: ['react-frontend', 'postgres'] });

/** A feature that makes an app. */
export const creates = (id: string, rest: Partial<PlanFeature> = {}): PlanFeature => ({
  id, title: id, blueprint: 'blog', change: null, targetAppId: `$NEW:${id}`, createsApp: { slug: id, kind: 'react', name: id }, services: ['react-frontend'], requires: [],
  subtasks: [{ id: `${id}/make`, title: 'Make it' }], ...rest,
});

/** A feature that changes one. */
export const changes = (id: string, targetAppId: string, rest: Partial<PlanFeature> = {}): PlanFeature => ({
  id, title: id, blueprint: 'blog', change: 'tags', targetAppId, services: [], requires: [], subtasks: [{ id: `${id}/do`, title: 'Do it' }], ...rest,
});

export const planOf = (...features: readonly unknown[]) => ({ version: 1 as const, message: 'as a person said it', features });
