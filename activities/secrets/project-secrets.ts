/**
 * Which secrets a project has and who is given which: the one place that maps apps and services to
 * environment variables and database roles. An app gets its own password and nobody else's (I8).
 */
import { randomBytes } from 'node:crypto';
import type { ComputeRole } from '../../local/node/runners/compute/assert-roles.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { CatalogService } from '../../shared/services/catalog.ts';
import type { ServiceRegistry } from '../../shared/services/registry.ts';
import type { Declared, DeclaredApp } from '../../shared/spec/declared.ts';
import { effectiveKind } from '../../shared/spec/project-spec.ts';
import type { SecretStore, SecretValues } from './secret-store.ts';

export type EnvTarget =
  | { readonly kind: 'compute' }
  | { readonly kind: 'app'; readonly app: DeclaredApp }
  | { readonly kind: 'service'; readonly id: string };

export interface ProjectSecretsDeps {
  readonly store: SecretStore;
  readonly registry: ServiceRegistry;
  /** What a project's compute shows to the timeline server. */
  computeToken(projectId: ProjectId): string;
}

export interface ProjectSecrets {
  ensure(projectId: ProjectId, declared: Declared): Promise<void>;
  /** What a pod is given as environment; throws when a secret that it needs was never made. */
  getEnvVars(projectId: ProjectId, target: EnvTarget, declared: Declared): Promise<SecretValues>;
  /** The same for many, with one read. */
  readEnvironment(projectId: ProjectId, declared: Declared): Promise<(target: EnvTarget) => SecretValues>;
  /** Every role that may log in, for the compute at its start and for `convergeSchema` while it runs. */
  computeRoles(projectId: ProjectId, declared: Declared): Promise<readonly ComputeRole[]>;
  adminPassword(projectId: ProjectId): Promise<string>;
  /** All values, to be kept out of texts that leave. */
  values(projectId: ProjectId): Promise<readonly string[]>;
}

const ADMIN_PASSWORD = 'compute/ADMIN_PASSWORD';
const appPassword = (app: Pick<DeclaredApp, 'id'>) => `app/${app.id}/PGPASSWORD`;
const serviceSecret = (id: string, name: string) => `service/${id}/${name}`;
/** Hex: safe in URLs, in `$(VAR)` expansion and in SQL. */
const random = (bytes: number) => () => randomBytes(bytes).toString('hex');

export function createProjectSecrets({ store, registry, computeToken }: ProjectSecretsDeps): ProjectSecrets {
  const need = (values: SecretValues, name: string): string => {
    const value = values[name];
    if (value === undefined) throw new AdorableError('PreconditionFailed', `The secret ${name} was never made: run the operation's ensureSecrets first.`);
    return value;
  };

  function rolesFrom(values: SecretValues, declared: Declared): readonly ComputeRole[] {
    const apps = declared.apps.map((app): ComputeRole => {
      const password = values[appPassword(app)];
      // A static site has no business in the database: its role cannot log in.
      if (effectiveKind(app, declared.services) !== 'fullstack') return { name: app.id, login: false, schema: app.id, settings: { search_path: app.id } };
      if (password === undefined) throw new AdorableError('PreconditionFailed', `App ${app.slug} has no database password yet: run ensureSecrets first.`);
      return { name: app.id, login: true, password, schema: app.id, settings: { search_path: app.id } };
    });
    const services = registry.declared(declared.services).flatMap((service): ComputeRole[] => {
      if (!service.schema) return [];
      const { name, role, passwordSecret } = service.schema;
      return [{ name: role, login: true, password: need(values, serviceSecret(service.id, passwordSecret)), schema: name, settings: { search_path: name } }];
    });
    return [...apps, ...services].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function readEnvironment(projectId: ProjectId, declared: Declared): Promise<(target: EnvTarget) => SecretValues> {
    const values = await store.readSecrets(projectId);
    return (target) => {
      if (target.kind === 'compute') return { ADMIN_PASSWORD: need(values, ADMIN_PASSWORD), TIMELINE_TOKEN: computeToken(projectId) };
      if (target.kind === 'app') {
        const { app } = target;
        return effectiveKind(app, declared.services) === 'fullstack' ? { PGUSER: app.id, PGPASSWORD: need(values, appPassword(app)) } : {};
      }
      const [service] = registry.declared([target.id]);
      if (!service) throw new AdorableError('InvariantViolated', `${target.id} is no catalog service and has no environment of its own.`);
      return serviceVariables(service, (name) => need(values, serviceSecret(service.id, name)));
    };
  }

  return {
    async ensure(projectId, declared) {
      const apps = declared.apps.map((app) => [appPassword(app), random(24)] as const);
      const services = registry.declared(declared.services).flatMap((service) =>
        service.secrets.flatMap((secret) => (secret.kind === 'random' ? [[serviceSecret(service.id, secret.name), random(secret.bytes)] as const] : [])));
      await store.ensureSecrets(projectId, Object.fromEntries([[ADMIN_PASSWORD, random(24)], ...apps, ...services]));
    },

    readEnvironment,
    getEnvVars: async (projectId, target, declared) => (await readEnvironment(projectId, declared))(target),

    computeRoles: async (projectId, declared) => rolesFrom(await store.readSecrets(projectId), declared),
    adminPassword: async (projectId) => need(await store.readSecrets(projectId), ADMIN_PASSWORD),
    values: async (projectId) => Object.values(await store.readSecrets(projectId)),
  };
}

function serviceVariables(service: CatalogService, valueOf: (name: string) => string): SecretValues {
  return Object.fromEntries(service.secrets.map((secret) => [secret.name, secret.kind === 'value' ? secret.value : valueOf(secret.name)]));
}

