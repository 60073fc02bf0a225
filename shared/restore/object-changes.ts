/** What a restore does to the namespace, by name: two rendered states compared, ids and fences aside. */
import { canonical } from '../manifests/digest.ts';
import { refOf } from '../manifests/kube-object.ts';
import type { KubeObject } from '../manifests/kube-object.ts';
import type { ObjectChanges } from './plan.ts';

export function objectChanges(now: readonly KubeObject[], then: readonly KubeObject[]): ObjectChanges {
  const [present, target] = [byRef(now), byRef(then)];
  const common = [...target.keys()].filter((ref) => present.has(ref));
  return {
    created: [...target.keys()].filter((ref) => !present.has(ref)).sort(),
    configured: common.filter((ref) => canonical(present.get(ref)) !== canonical(target.get(ref))).sort(),
    deleted: [...present.keys()].filter((ref) => !target.has(ref)).sort(),
  };
}

function byRef(objects: readonly KubeObject[]): ReadonlyMap<string, KubeObject> {
  return new Map(objects.map((object) => [refOf(object), object]));
}
