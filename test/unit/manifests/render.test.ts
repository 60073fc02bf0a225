/** The pure render of a moment: complete, stable, isolated and fast. */
import { describe, expect, test } from '@jest/globals';
import { loadCatalog } from '../../../activities/infra/catalog.ts';
import type { ProjectId, TenantId, TimelineId, TreeHash } from '../../../shared/ids.ts';
import { manifestDigest } from '../../../shared/manifests/digest.ts';
import { NO_TREE } from '../../../shared/manifests/names.ts';
import type { KubeObject } from '../../../shared/manifests/kube-object.ts';
import { refOf } from '../../../shared/manifests/kube-object.ts';
import { render, tiersOf } from '../../../shared/manifests/render.ts';
import type { RenderInput } from '../../../shared/manifests/render.ts';
import { AFTER, app, BEFORE } from '../infra/infra-world.ts';

const registry = loadCatalog();
const TREE = 'c'.repeat(40) as TreeHash;
const BLOG_TREE = 'b'.repeat(40) as TreeHash;
const OTHER = 'd'.repeat(40) as TreeHash;
const input = (more: Partial<RenderInput> = {}): RenderInput => ({
  projectId: 'qiwykfu39n' as ProjectId, declared: AFTER, registry, trees: { 'personal-finance': TREE, blog: BLOG_TREE }, treesRoot: '/srv/projects',
  tenantId: '2'.repeat(32) as TenantId, timelineId: 'a'.repeat(32) as TimelineId, fence: 7, replicas: 'stopped',
  previewDomain: 'preview.localhost', gatewayPort: 8080, timelineServerUrl: 'http://127.0.0.1:9898', envChecksums: { app: 'sum' }, ...more,
});

interface Pod { replicas: number; strategy: { type: string }; template: { metadata: { annotations: Record<string, string> }; spec: { containers: [{ env: { name: string; value?: string }[]; envFrom?: object[]; image: string }] } } }
const specOf = (objects: readonly KubeObject[], name: string) => objects.find((object) => refOf(object) === `Deployment/${name}`)?.['spec'] as Pod;
const envOf = (objects: readonly KubeObject[], name: string) => Object.fromEntries(specOf(objects, name).template.spec.containers[0].env.map((entry) => [entry.name, entry.value]));

describe('render', () => {
  test('one Deployment and Service per app and service, an Ingress where people reach it', () => {
    const refs = render(input()).map(refOf);
    for (const name of ['app', 'app-blog', 'directus', 'neon-compute']) expect(refs).toEqual(expect.arrayContaining([`Deployment/${name}`, `Service/${name}`]));
    expect(refs.filter((ref) => ref.startsWith('Ingress/'))).toEqual(['Ingress/directus', 'Ingress/app-blog', 'Ingress/app']);
    expect(refs).toContain('NetworkPolicy/default-deny');
    expect(refs.some((ref) => ref.startsWith('Secret/') || ref.startsWith('Namespace/'))).toBe(false);
    expect(new Set(refs).size).toBe(refs.length);
  });

  test('an app sees its own tree and, only when fullstack, the database', () => {
    const objects = render(input());
    expect(envOf(objects, 'app')).toMatchObject({ APP_KIND: 'fullstack', APP_SLUG: 'personal-finance', TREE: `/srv/projects/qiwykfu39n/trees/${TREE}`, PGHOST: '$(NEON_COMPUTE_SERVICE_HOST)' });
    expect(envOf(objects, 'app-blog')).toMatchObject({ APP_KIND: 'react', PUBLIC_HOST: 'blog-qiwykfu39n.preview.localhost', VITE_DIRECTUS_URL: 'http://directus-qiwykfu39n.preview.localhost:8080' });
    expect(envOf(objects, 'app-blog')['PGHOST']).toBeUndefined();
    expect(specOf(objects, 'app-blog').template.spec.containers[0].envFrom).toBeUndefined();
  });

  test("the primary's stored kind is not trusted", () => {
    const drifted = { ...BEFORE, apps: [app('personal-finance', 'react', true)] };
    expect(envOf(render(input({ declared: drifted })), 'app')['APP_KIND']).toBe('fullstack');
    expect(envOf(render(input({ declared: { ...drifted, services: ['react-frontend'] } })), 'app')['APP_KIND']).toBe('react');
  });

  test('a project without a primary has no Deployment app', () => {
    const refs = render(input({ declared: { ...AFTER, apps: [app('blog', 'react')] } })).map(refOf);
    expect(refs).not.toContain('Deployment/app');
  });

  test('what restarts a pod is in its template, and only that', () => {
    const annotations = (more: Partial<RenderInput>, name: string) => specOf(render(input(more)), name).template.metadata.annotations;
    expect(annotations({}, 'app')).toEqual({ 'adorable.dev/tree': 'c'.repeat(40), 'adorable.dev/timeline': 'a'.repeat(32), 'adorable.dev/env-checksum': 'sum' });
    // A new fence or a new tree starts no other compute.
    const compute = (more: Partial<RenderInput>) => JSON.stringify(specOf(render(input(more)), 'neon-compute'));
    expect(compute({ fence: 8, trees: { 'personal-finance': OTHER } })).toBe(compute({}));
    expect(compute({ timelineId: 'b'.repeat(32) as TimelineId })).not.toBe(compute({}));
    // Of two apps the one that changed.
    const changed = { trees: { 'personal-finance': OTHER, blog: BLOG_TREE } };
    expect(annotations(changed, 'app')['adorable.dev/tree']).toBe(OTHER);
    expect(JSON.stringify(specOf(render(input(changed)), 'app-blog'))).toBe(JSON.stringify(specOf(render(input()), 'app-blog')));
    // A declared app without files in the tree starts nothing of another's, whatever it is called.
    expect(envOf(render(input({ declared: { ...AFTER, apps: [app('constructor', 'react')] }, trees: {} })), 'app-constructor')['TREE']).toBe(`/srv/projects/qiwykfu39n/trees/${NO_TREE}`);
    expect(envOf(render(input({ trees: { blog: BLOG_TREE } })), 'app')['TREE']).toBe(`/srv/projects/qiwykfu39n/trees/${NO_TREE}`);
  });

  test('replicas: all, all but the compute at rest, or by name', () => {
    const counts = (replicas: RenderInput['replicas']) => ['app', 'app-blog', 'directus', 'neon-compute'].map((name) => specOf(render(input({ replicas })), name).replicas);
    expect(counts('running')).toEqual([1, 1, 1, 1]);
    expect(counts('stopped')).toEqual([0, 0, 0, 1]);
    expect(counts({ 'app-blog': 1 })).toEqual([0, 1, 0, 1]);
    expect(counts({ 'neon-compute': 0 })).toEqual([0, 0, 0, 0]);
  });

  test('every object carries its fence and its project', () => {
    for (const { metadata } of render(input())) {
      expect(metadata.annotations?.['adorable.dev/fence']).toBe('7');
      expect(metadata.labels?.['adorable.dev/project']).toBe('qiwykfu39n');
    }
  });

  test('an undefined service or two apps of one name are refused', () => {
    expect(() => render(input({ declared: { ...AFTER, services: ['redis'] } }))).toThrow(/redis/);
    expect(() => render(input({ declared: { ...AFTER, apps: [app('one', 'react', true), app('two', 'react', true)] } }))).toThrow(/Deployment app/);
  });

  test('tiers of a declared state', () => {
    expect(tiersOf(AFTER, registry)).toEqual([['app-blog', 'neon-compute'], ['app', 'directus']]);
  });
});

describe('digest and size', () => {
  test('equal moments have equal digests whatever the fence, timeline, secrets and replicas', () => {
    const digest = (more: Partial<RenderInput>) => manifestDigest(render(input(more)));
    const base = digest({});
    expect(digest({ fence: 8, timelineId: 'b'.repeat(32) as TimelineId, envChecksums: {}, replicas: 'running' })).toBe(base);
    expect(digest({ trees: { 'personal-finance': OTHER, blog: BLOG_TREE } })).not.toBe(base);
    expect(digest({ declared: BEFORE })).not.toBe(base);
    expect(digest({ declared: { ...AFTER, apps: [...AFTER.apps].reverse() } })).toBe(base);
  });

  test('1,000 apps in under a second of CPU', () => {
    const apps = Array.from({ length: 1_000 }, (_, index) => app(`app${String(index)}`, index % 2 === 0 ? 'react' : 'fullstack'));
    const before = process.cpuUsage();
    const objects = render(input({ declared: { ...AFTER, apps } }));
    const { user, system } = process.cpuUsage(before);
    process.stderr.write(`1,000 apps: ${String(objects.length)} objects in ${String(Math.round((user + system) / 1_000))} ms of CPU\n`);
    expect(objects.length).toBeGreaterThan(3_000);
    expect(user + system).toBeLessThan(1_000_000);
  });
});
