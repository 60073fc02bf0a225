/** Names, labels and annotations of a project's namespace, in one place. */
import type { ProjectId } from '../ids.ts';
import type { DeclaredApp } from '../spec/declared.ts';

export const FIELD_MANAGER = 'adorable-runtime';
export const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const PROJECT_LABEL = 'adorable.dev/project';
export const APP_LABEL = 'adorable.dev/app';
export const SERVICE_LABEL = 'adorable.dev/service';
/** Pods with it may talk to the compute; pods with the other are reached by the gateway. */
export const DATABASE_LABEL = 'adorable.dev/database';
export const PUBLIC_LABEL = 'adorable.dev/public';

export const FENCE = 'adorable.dev/fence';
export const GATEWAY = 'adorable.dev/gateway';
/** Digest of what was last applied, without fence and replicas; an HMAC for Secrets. */
export const APPLIED = 'adorable.dev/applied';
export const TREE = 'adorable.dev/tree';
/** git's name of an empty tree. */
export const NO_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
export const TIMELINE = 'adorable.dev/timeline';
export const ENV_CHECKSUM = 'adorable.dev/env-checksum';

export const APP_PORT = 3000;
export const COMPUTE_PORT = 5432;
export const DATABASE = 'app';

export function namespaceName(projectId: ProjectId): string {
  return `adorable-${projectId}`;
}

/** The primary app's Deployment is `app`, by declaration only: nothing falls back to it (I4). */
export function appName(app: Pick<DeclaredApp, 'isPrimary' | 'slug'>): string {
  return app.isPrimary ? 'app' : `app-${app.slug}`;
}

export function appSecretName(slug: string): string {
  return `app-${slug}-env`;
}

export function serviceSecretName(serviceId: string): string {
  return `${serviceId}-env`;
}

export const COMPUTE_SECRET = 'neon-compute-env';
export const ROLES_SECRET = 'neon-compute-roles';
export const ROLES_KEY = 'roles.json';

export interface NameLabels {
  readonly projectId: ProjectId;
  readonly name: string;
  readonly component: 'app' | 'service' | 'compute' | 'project';
  readonly owner?: { readonly label: typeof APP_LABEL | typeof SERVICE_LABEL; readonly id: string };
}

export function labelsOf({ projectId, name, component, owner }: NameLabels): Record<string, string> {
  return {
    'app.kubernetes.io/name': name,
    'app.kubernetes.io/instance': projectId,
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/part-of': 'adorable',
    [MANAGED_BY]: FIELD_MANAGER,
    [PROJECT_LABEL]: projectId,
    ...(owner ? { [owner.label]: owner.id } : {}),
  };
}
