/**
 * Everything that a moment's namespace holds: the pure render, and the Secrets beside it with the
 * current values, since credentials do not rewind. Pods restart exactly when their own environment
 * changed: each template carries a keyed digest of it, never a value (I7).
 */
import { canonical } from '../../shared/manifests/digest.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import * as names from '../../shared/manifests/names.ts';
import { fenced as withFence, render, renderCompute } from '../../shared/manifests/render.ts';
import type { RenderInput } from '../../shared/manifests/render.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { FencedMoment } from '../../shared/moment.ts';
import { COMPUTE } from '../../shared/services/built-ins.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import type { EnvTarget } from '../secrets/project-secrets.ts';
import type { SecretValues } from '../secrets/secret-store.ts';
import type { InfraDeps } from './infra-deps.ts';

export interface MomentObjects {
  readonly declared: Declared;
  /** Secrets first, then what reads them. */
  readonly objects: readonly KubeObject[];
}

type Wanted = Pick<FencedMoment, 'projectId' | 'fence' | 'moment'> & { readonly replicas: RenderInput['replicas'] };

export async function momentObjects(deps: InfraDeps, wanted: Wanted): Promise<MomentObjects> {
  const { projectId, moment, fence } = wanted;
  const declared = await deps.declaredOf(projectId, moment.checkpointId);
  const [environments, trees] = await Promise.all([readEnvironments(deps, projectId, declared), deps.appTreesOf(projectId, moment.tree)]);
  const objects = [
    ...environments.flatMap(({ secret, values }) => (secret === undefined ? [] : [secretObject(projectId, secret, values)])),
    await rolesSecret(deps, projectId, declared),
  ].map((object) => withFence(object, fence));
  return { declared, objects: [...objects, ...render(renderInput(deps, wanted, { declared, environments, trees }))] };
}

/** What the compute alone needs. */
export async function computeObjects(deps: InfraDeps, wanted: Wanted): Promise<readonly KubeObject[]> {
  const { projectId, moment, fence } = wanted;
  const declared = await deps.declaredOf(projectId, moment.checkpointId);
  const [compute] = await readEnvironments(deps, projectId, declared, [{ kind: 'compute' }]);
  if (!compute) return [];
  const secrets = [secretObject(projectId, names.COMPUTE_SECRET, compute.values), await rolesSecret(deps, projectId, declared)];
  return [...secrets.map((object) => withFence(object, fence)), ...renderCompute(renderInput(deps, wanted, { declared, environments: [compute], trees: {} }))];
}

interface Environment {
  readonly name: string;
  readonly secret: string | undefined;
  readonly values: SecretValues;
}

async function readEnvironments(deps: InfraDeps, projectId: ProjectId, declared: Declared, only?: readonly EnvTarget[]): Promise<readonly Environment[]> {
  const targets: readonly EnvTarget[] = only ?? [
    { kind: 'compute' },
    ...deps.registry.declared(declared.services).map(({ id }) => ({ kind: 'service', id }) as const),
    ...declared.apps.map((app) => ({ kind: 'app', app }) as const),
  ];
  const getEnvVars = await deps.secrets.readEnvironment(projectId, declared);
  return targets.map((target) => {
    const values = getEnvVars(target);
    const [name, secret] = target.kind === 'compute' ? [COMPUTE, names.COMPUTE_SECRET]
      : target.kind === 'service' ? [target.id, names.serviceSecretName(target.id)]
        : [names.appName(target.app), names.appSecretName(target.app.slug)];
    return { name, values, secret: Object.keys(values).length > 0 ? secret : undefined };
  });
}

async function rolesSecret(deps: InfraDeps, projectId: ProjectId, declared: Declared): Promise<KubeObject> {
  return secretObject(projectId, names.ROLES_SECRET, { [names.ROLES_KEY]: JSON.stringify(await deps.secrets.computeRoles(projectId, declared)) });
}

function secretObject(projectId: ProjectId, name: string, values: SecretValues): KubeObject {
  const entries = Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    apiVersion: 'v1', kind: 'Secret', type: 'Opaque',
    metadata: { name, namespace: names.namespaceName(projectId), labels: names.labelsOf({ projectId, name, component: 'project' }) },
    data: Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  };
}

function renderInput({ settings, registry, secretStore }: InfraDeps, { projectId, moment, fence, replicas }: Wanted, { declared, environments, trees }: Pick<RenderInput, 'declared' | 'trees'> & { readonly environments: readonly Environment[] }): RenderInput {
  return {
    ...settings, registry, projectId, declared, fence, replicas,
    trees, tenantId: moment.tenantId, timelineId: moment.timelineId,
    envChecksums: Object.fromEntries(environments.filter(({ secret }) => secret !== undefined).map(({ name, values }) => [name, secretStore.checksum(canonical(values))])),
  };
}
