/**
 * Steps that catalog services declare by name: before their pod starts, because credentials do not
 * rewind with the branch, and after their first health. All of them may run twice (I9).
 */
import { AdorableError } from '../../shared/errors.ts';
import type { KubeClient } from '../../local/kube-client.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { COMPUTE_PORT, namespaceName } from '../../shared/manifests/names.ts';
import { COMPUTE } from '../../shared/services/built-ins.ts';
import type { CatalogService } from '../../shared/services/catalog.ts';
import { withCompute } from '../data/adapters/postgres.ts';
import { reassertDirectusAdmin, seedDirectus } from '../data/seeds/directus.ts';
import { createCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import type { ServiceStep, StepInput } from './infra-deps.ts';
import type { InfraRun } from './infra-run.ts';

export const SERVICE_STEPS: Readonly<Record<string, ServiceStep>> = {
  'directus-admin': async (input) => {
    const { schema } = input.service;
    if (!schema) throw new AdorableError('InvalidInput', `${input.service.id} has a step on its schema but declares none.`);
    const login = { user: schema.role, password: variable(input, schema.passwordSecret) };
    await withCompute(input.compute, login, async (sql) => {
      const pg = { query: async (text: string, values: unknown[]) => ({ rowCount: null, rows: await sql.query(text, values) }) };
      await reassertDirectusAdmin(pg, schema.name, { adminEmail: variable(input, 'ADMIN_EMAIL'), token: variable(input, 'ADMIN_TOKEN'), password: variable(input, 'ADMIN_PASSWORD') });
    });
  },
  'directus-blog': async (input) => {
    await seedDirectus({ url: input.url, token: variable(input, 'ADMIN_TOKEN'), signal: input.signal });
  },
};

export async function runStep(run: InfraRun, { projectId, service, step }: { projectId: ProjectId; service: CatalogService; step: string }): Promise<void> {
  const { deps, cluster, context } = run;
  const work = Object.hasOwn(deps.steps, step) ? deps.steps[step] : undefined;
  if (!work) throw new AdorableError('InvalidInput', `${service.id} names the step ${step}, which does not exist.`);
  const [env, own, compute] = await Promise.all([
    deps.secrets.getEnvVars(projectId, { kind: 'service', id: service.id }, { apps: [], services: [service.id], serviceVersions: {}, revisionId: null }),
    readAddress(cluster, projectId, service.id),
    readAddress(cluster, projectId, COMPUTE),
  ]);
  await work({ projectId, service, env, compute, url: `http://${own.host}:${String(own.port)}`, signal: context.signal });
}

/** Where a Service of a project answers from here. */
export async function readServiceAddress(kube: Pick<KubeClient, 'request'>, projectId: ProjectId, name: string): Promise<{ host: string; port: number }> {
  return await readAddress(createCluster(kube), projectId, name);
}

async function readAddress(cluster: Cluster, projectId: ProjectId, name: string): Promise<{ host: string; port: number }> {
  const live = await cluster.read('Service', namespaceName(projectId), name);
  // Every compute start makes it before anybody asks: no repeat of the question brings it back, a converge does.
  if (!live) throw new AdorableError('PreconditionFailed', `Service ${name} of ${projectId} does not exist: someone deleted it, or its namespace; a restore (\`adorable undo ${projectId}\`) makes it again.`);
  const spec = live['spec'] as { clusterIP?: string; ports?: { port: number }[] } | undefined;
  if (!spec?.clusterIP || spec.clusterIP === 'None') throw new AdorableError('Unavailable', `Service ${name} of ${projectId} has no address yet.`);
  return { host: spec.clusterIP, port: spec.ports?.[0]?.port ?? COMPUTE_PORT };
}

function variable({ env, service }: StepInput, name: string): string {
  const value = env[name];
  if (value === undefined) throw new AdorableError('InvalidInput', `${service.id} declares no secret ${name}, which its step needs.`);
  return value;
}
