/** The parts of the platform and what each needs before it can start; stopping goes the other way. */
export const PART_NAMES = [
  'postgres', 'temporal', 'etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'timeline', 'node', 'gateway', 'worker',
] as const;

export type PartName = (typeof PART_NAMES)[number];

export const NEEDS: Record<PartName, readonly PartName[]> = {
  postgres: [],
  temporal: [],
  etcd: [],
  'kube-apiserver': ['etcd'],
  'kube-controller-manager': ['kube-apiserver'],
  'kube-scheduler': ['kube-apiserver'],
  timeline: ['postgres'],
  node: ['kube-apiserver', 'timeline'],
  gateway: ['kube-apiserver'],
  worker: ['postgres', 'temporal', 'kube-apiserver', 'timeline'],
};

export function dependentsOf(name: PartName): PartName[] {
  return PART_NAMES.filter((other) => NEEDS[other].includes(name));
}
