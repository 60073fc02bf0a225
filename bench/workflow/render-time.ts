/** CPU time of rendering a project of many apps. */
import { loadCatalog } from '../../activities/infra/catalog.ts';
import type { AppId, ProjectId, TenantId, TimelineId, TreeHash } from '../../shared/ids.ts';
import { render } from '../../shared/manifests/render.ts';
import type { Slug } from '../../shared/slug.ts';
import type { DeclaredApp } from '../../shared/spec/declared.ts';

export interface RenderTime {
  readonly apps: number;
  readonly objects: number;
  readonly cpuMs: readonly number[];
}

export function measureRender(apps: number, repeat: number): RenderTime {
  const registry = loadCatalog();
  const declared = Array.from({ length: apps }, (_, index): DeclaredApp => ({
    id: `a_${index.toString(36).padStart(12, '0')}` as AppId, slug: `app-${String(index)}` as Slug, name: `App ${String(index)}`,
    kind: index % 2 === 0 ? 'fullstack' : 'react', isPrimary: index === 0, fsDirName: `app-${String(index)}`,
  }));
  const input = {
    projectId: 'qiwykfu39n' as ProjectId, registry, trees: Object.fromEntries(declared.map((app) => [app.fsDirName, 'c'.repeat(40) as TreeHash])), treesRoot: '/srv/projects',
    declared: { apps: declared, services: ['directus', 'postgres', 'react-frontend', 'trpc-api'], serviceVersions: {}, revisionId: null },
    tenantId: '2'.repeat(32) as TenantId, timelineId: 'a'.repeat(32) as TimelineId, fence: 7, replicas: 'running' as const,
    previewDomain: 'preview.localhost', gatewayPort: 8080, timelineServerUrl: 'http://127.0.0.1:9898', envChecksums: {},
  };
  let objects = 0;
  const cpuMs = Array.from({ length: repeat }, () => {
    const began = process.cpuUsage();
    objects = render(input).length;
    const { user, system } = process.cpuUsage(began);
    return (user + system) / 1000;
  });
  return { apps, objects, cpuMs };
}
