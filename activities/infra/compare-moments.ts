/** What going from one moment to another does to the namespace, by name: both rendered, nothing read from it, nothing written. */
import type { ProjectId } from '../../shared/ids.ts';
import type { Moment } from '../../shared/moment.ts';
import { objectChanges } from '../../shared/restore/object-changes.ts';
import type { ObjectChanges } from '../../shared/restore/plan.ts';
import type { Declared } from '../../shared/spec/declared.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import type { InfraDeps } from './infra-deps.ts';
import { momentObjects } from './moment-objects.ts';

export interface DeclaredMoment {
  readonly moment: Moment;
  readonly declared: Declared;
}

export async function compareMoments(deps: InfraDeps, projectId: ProjectId, { now, then }: { now: DeclaredMoment; then: DeclaredMoment }): Promise<ObjectChanges> {
  const rendered = async ({ moment, declared }: DeclaredMoment): Promise<readonly KubeObject[]> =>
    (await momentObjects({ ...deps, declaredOf: () => Promise.resolve(declared) }, { projectId, moment, fence: 0, replicas: 'running' })).objects;
  return objectChanges(await rendered(now), await rendered(then));
}
