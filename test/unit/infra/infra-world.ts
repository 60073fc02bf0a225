/** A real API server with its fence policy, a real platform database, and infra activities over both. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadCatalog } from '../../../activities/infra/catalog.ts';
import type { LiveObject } from '../../../activities/infra/cluster.ts';
import { createInfraActivities } from '../../../activities/infra/index.ts';
import type { InfraDeps } from '../../../activities/infra/index.ts';
import { connectPlatform } from '../../../activities/records/platform-database.ts';
import type { PlatformDatabase } from '../../../activities/records/platform-database.ts';
import { createProjectSecrets, createSeal, createSecretStore } from '../../../activities/secrets/index.ts';
import type { SecretStore } from '../../../activities/secrets/index.ts';
import { connectKube } from '../../../local/kube-client.ts';
import type { KubeClient } from '../../../local/kube-client.ts';
import { layout } from '../../../local/paths.ts';
import { kubeconfigPath, readSecret } from '../../../local/platform.ts';
import { answersSql, platformSqlUrl } from '../../../local/postgres/cluster.ts';
import { partSpecs } from '../../../local/supervisor/part-specs.ts';
import type { AppId, CheckpointId, CommitSha, OperationId, ProjectId, TenantId, TimelineId, TreeHash } from '../../../shared/ids.ts';
import { parseLsn } from '../../../shared/lsn.ts';
import type { Fenced, FencedMoment, Moment } from '../../../shared/moment.ts';
import type { Slug } from '../../../shared/slug.ts';
import type { AppKind, Declared, DeclaredApp } from '../../../shared/spec/declared.ts';
import { startControlPlane } from '../../support/control-plane.ts';
import { startFakeKubelet } from './fake-kubelet.ts';
import type { FakeKubelet } from './fake-kubelet.ts';

export type Infra = ReturnType<typeof createInfraActivities>;

export interface InfraWorld {
  readonly admin: KubeClient;
  /** Every request that the worker made since it was last emptied: `METHOD path`. */
  readonly requests: string[];
  readonly kubelet: FakeKubelet;
  readonly infra: Infra;
  readonly deps: InfraDeps;
  readonly store: SecretStore;
  readonly database: PlatformDatabase;
  /** Logins and unseals that the data store was asked for. */
  readonly asked: string[];
  readonly steps: string[];
  readonly declared: Map<CheckpointId, Declared>;
  /** A project's row with this fence, and the right to write under it. */
  hold(projectId: ProjectId, fence: number): Promise<Fenced>;
  stop(): Promise<void>;
}

export async function startInfraWorld(): Promise<InfraWorld> {
  const plane = await startControlPlane();
  const { platform } = plane;
  const paths = layout(platform.dataDir);
  const spec = partSpecs(platform).find((candidate) => candidate.name === 'postgres');
  if (!spec) throw new Error('no postgres part');
  await spec.prepare?.();
  const postgres = spawn(spec.command, [...spec.args], { ...spec.user, cwd: '/', stdio: ['ignore', 'ignore', openSync(join(paths.logs, 'postgres.log'), 'a')] });
  for (const deadline = Date.now() + 30_000; !(await answersSql(platform).then(() => true, () => false)); await sleep(50)) {
    if (Date.now() > deadline) throw new Error('postgres did not answer');
  }
  await spec.arrange?.();

  const kubelet = await startFakeKubelet(plane.admin);
  const database = connectPlatform(platformSqlUrl(platform));
  const worker = connectKube(kubeconfigPath(platform.dataDir, 'worker'));
  const requests: string[] = [];
  const asked: string[] = [];
  const steps: string[] = [];
  const declared = new Map<CheckpointId, Declared>();
  const endpoints = new Map<ProjectId, { tenant_id: TenantId; timeline_id: TimelineId }>();
  const registry = loadCatalog();
  const store = createSecretStore({ database, seal: createSeal(readSecret(platform.dataDir, 'master.key')) });
  const deps: InfraDeps = {
    kube: { ...worker, request: async (request) => { requests.push(`${request.method} ${request.path}`); return await worker.request(request); } },
    database, registry, secretStore: store,
    secrets: createProjectSecrets({ store, registry, computeToken: (projectId) => `token-of-${projectId}` }),
    settings: { treesRoot: '/srv/projects', previewDomain: 'preview.localhost', gatewayPort: 8080, timelineServerUrl: 'http://127.0.0.1:9898' },
    declaredOf: (_projectId, checkpointId) => {
      const found = declared.get(checkpointId);
      return found ? Promise.resolve(found) : Promise.reject(new Error(`no checkpoint ${checkpointId}`));
    },
    // All apps of a moment change together: which one did is the render's test.
    appTreesOf: (_projectId, tree) => Promise.resolve(Object.fromEntries([...declared.values()].flatMap(({ apps }) => apps.map((one) => [one.fsDirName, tree])))),
    isDrained: () => Promise.resolve(true),
    data: {
      sealTimeline: ({ timelineId }) => {
        asked.push(`seal ${timelineId.slice(0, 4)}`);
        return Promise.resolve({ lsn: parseLsn('0/2000') });
      },
      unsealTimeline: ({ timelineId }) => Promise.resolve(void asked.push(`unseal ${timelineId.slice(0, 4)}`)),
      repointCompute: ({ projectId, tenantId, timelineId, logins, fence }) => {
        endpoints.set(projectId, { tenant_id: tenantId, timeline_id: timelineId });
        return Promise.resolve(void asked.push(`${timelineId.slice(0, 4)} ${logins} ${String(fence)}`));
      },
      awaitLogins: ({ logins }) => Promise.resolve(void asked.push(`await ${logins}`)),
      readEndpoint: (projectId) => Promise.resolve(endpoints.get(projectId) as { tenant_id: TenantId; timeline_id: TimelineId }),
    },
    steps: {
      'directus-admin': ({ service, compute }) => Promise.resolve(void steps.push(`before ${service.id} with ${String(compute.port)}`)),
      'directus-blog': ({ url, env }) => Promise.resolve(void steps.push(`seed ${new URL(url).port} ${String(env['ADMIN_TOKEN']?.length)}`)),
    },
  };
  return {
    admin: plane.admin, requests, kubelet, deps, store, database, asked, steps, declared,
    infra: createInfraActivities(deps),
    async hold(projectId, fence) {
      await database.query('INSERT INTO projects (id, name, fence) VALUES ($1, $1, $2) ON CONFLICT (id) DO UPDATE SET fence = EXCLUDED.fence', [projectId, fence]);
      return { projectId, operationId: `op_${String(fence).padStart(12, '0')}` as OperationId, fence };
    },
    async stop() {
      await kubelet.stop();
      await worker.close();
      await database.end();
      postgres.kill('SIGINT');
      await once(postgres, 'exit');
      await plane.stop();
    },
  };
}

export function app(slug: string, kind: AppKind, isPrimary = false): DeclaredApp {
  return { id: `a_${slug.replaceAll('-', '').padEnd(12, '0').slice(0, 12)}` as AppId, slug: slug as Slug, name: slug, kind, isPrimary, fsDirName: slug };
}

/** Before the blog and after it: the seed's two moments. */
export const BEFORE: Declared = { apps: [app('personal-finance', 'fullstack', true)], services: ['postgres', 'react-frontend', 'trpc-api'], serviceVersions: {}, revisionId: null };
export const AFTER: Declared = { ...BEFORE, apps: [...BEFORE.apps, app('blog', 'react')], services: ['directus', ...BEFORE.services], serviceVersions: { directus: '11.17.4' } };

export function moment(world: Pick<InfraWorld, 'declared'>, name: string, declared: Declared, timeline = 'a'): Moment {
  const checkpointId = `cp_${name.padEnd(12, '0')}` as CheckpointId;
  world.declared.set(checkpointId, declared);
  return { checkpointId, commit: '1'.repeat(40) as CommitSha, tree: name.charCodeAt(0).toString(16).padEnd(40, '0') as TreeHash, tenantId: '2'.repeat(32) as TenantId, timelineId: timeline.repeat(32) as TimelineId };
}

export function at(fenced: Fenced, where: Moment): FencedMoment {
  return { ...fenced, moment: where };
}

const PLURALS: Readonly<Record<string, string>> = { Ingress: 'ingresses', NetworkPolicy: 'networkpolicies' };

/** The world as the API server tells it to an administrator. */
export async function objectsOf(world: InfraWorld, projectId: ProjectId, kind: string): Promise<readonly LiveObject[]> {
  const group = kind === 'Deployment' ? 'apis/apps/v1' : ['Ingress', 'NetworkPolicy'].includes(kind) ? 'apis/networking.k8s.io/v1' : 'api/v1';
  const { items } = await world.admin.request<{ items: LiveObject[] }>({ method: 'GET', path: `/${group}/namespaces/adorable-${projectId}/${PLURALS[kind] ?? `${kind.toLowerCase()}s`}` });
  return items.map((item) => ({ ...item, kind }));
}

export async function namesOf(world: InfraWorld, projectId: ProjectId, kind: string): Promise<readonly string[]> {
  return (await objectsOf(world, projectId, kind)).map((object) => object.metadata.name).sort();
}
