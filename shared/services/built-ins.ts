/**
 * The code-defined services. Their ids are captured here, before any catalog is read: this set
 * alone decides what a rollback may deprovision (I6), and a catalog entry may not take one of them.
 */
import type { AppKind } from '../spec/declared.ts';

export type ServiceState = 'none' | 'branch' | 'objects' | 'volume';

export interface BuiltInService {
  readonly id: string;
  readonly title: string;
  /** `app`: skipped project-wide and replayed per app. `platform`: lives outside the project's code. */
  readonly scope: 'app' | 'platform';
  readonly state: ServiceState;
  readonly requires: readonly string[];
  /** The Deployment of the namespace that stands for a platform service; null when it is external. */
  readonly deployment: string | null;
}

export const COMPUTE = 'neon-compute';

export const BUILT_INS: readonly BuiltInService[] = [
  { id: 'react-frontend', title: 'React frontend', scope: 'app', state: 'none', requires: [], deployment: null },
  { id: 'trpc-api', title: 'tRPC API', scope: 'app', state: 'none', requires: ['postgres'], deployment: null },
  { id: 'postgres', title: 'PostgreSQL', scope: 'platform', state: 'branch', requires: [], deployment: COMPUTE },
  { id: 's3', title: 'Object storage', scope: 'platform', state: 'objects', requires: [], deployment: null },
];

export const codeServiceIds: ReadonlySet<string> = new Set(BUILT_INS.map((service) => service.id));

export function isCodeDefinedService(id: string): boolean {
  return codeServiceIds.has(id);
}

/** What an app of each kind is made of. */
export const APP_SERVICES: Readonly<Record<AppKind, readonly string[]>> = {
  react: ['react-frontend'],
  fullstack: ['react-frontend', 'trpc-api'],
};
