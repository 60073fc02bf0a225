/**
 * Whether a live object is what is rendered: pure. What we set must be there as set, what we once
 * set and no longer do must be gone (the digest of what was applied), and nobody else may own a
 * part of its spec. The fence is left out: a converge that changes nothing writes nothing.
 */
import { createHash } from 'node:crypto';
import { canonical } from '../../shared/manifests/digest.ts';
import type { KubeObject } from '../../shared/manifests/kube-object.ts';
import { APPLIED, FENCE, FIELD_MANAGER, MANAGED_BY, PROJECT_LABEL } from '../../shared/manifests/names.ts';
import type { LiveObject, ManagedFields } from './cluster.ts';

const OWN_ANNOTATIONS = new Set<string>([APPLIED, FENCE]);
/** Sets revisions and defaults on our behalf. */
const CONTROLLERS = new Set(['kube-controller-manager']);

export type Checksum = (text: string) => string;

/** A Secret's digest is keyed, so that it tells nothing of the values (I7). */
export function fingerprint(object: KubeObject, checksum: Checksum): string {
  const text = canonical(object, (key) => OWN_ANNOTATIONS.has(key) || key === 'replicas');
  return object.kind === 'Secret' ? checksum(text) : createHash('sha256').update(text).digest('hex').slice(0, 32);
}

export function isAsRendered(desired: KubeObject, live: LiveObject, checksum: Checksum): boolean {
  return live.metadata.annotations?.[APPLIED] === fingerprint(desired, checksum)
    && isWithin(withoutOwn(desired), live)
    && foreignSpecManagers(live).length === 0;
}

export function withApplied(object: KubeObject, checksum: Checksum): KubeObject {
  return { ...object, metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [APPLIED]: fingerprint(object, checksum) } } };
}

/** Others that own more than metadata and status. */
export function foreignSpecManagers(live: LiveObject): readonly ManagedFields[] {
  return (live.metadata.managedFields ?? []).filter((entry) =>
    entry.manager !== FIELD_MANAGER && !CONTROLLERS.has(entry.manager ?? '') && entry.subresource === undefined
    && Object.keys(entry.fieldsV1 ?? {}).some((field) => field !== 'f:metadata' && field !== 'f:status'));
}

/** Everything that others own of the spec is given to our next apply, which then removes what is not rendered. */
export function adoptedFields(live: LiveObject): readonly ManagedFields[] {
  const all = live.metadata.managedFields ?? [];
  const foreign = foreignSpecManagers(live);
  const ours = all.find((entry) => entry.manager === FIELD_MANAGER && entry.operation === 'Apply');
  const [first] = foreign;
  const base: ManagedFields | undefined = ours ?? (first && { ...first, manager: FIELD_MANAGER, operation: 'Apply' });
  if (!base) return all;
  const fieldsV1 = foreign.reduce((merged, entry) => union(merged, entry.fieldsV1 ?? {}), base.fieldsV1 ?? {});
  return [{ ...base, fieldsV1 }, ...all.filter((entry) => entry !== ours && !foreign.includes(entry))];
}

export function isLabelledOurs(live: KubeObject, projectId: string): boolean {
  return live.metadata.labels?.[PROJECT_LABEL] === projectId && live.metadata.labels[MANAGED_BY] === FIELD_MANAGER;
}

function withoutOwn(object: KubeObject): unknown {
  const annotations = Object.fromEntries(Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !OWN_ANNOTATIONS.has(name)));
  return { ...object, metadata: { ...object.metadata, annotations } };
}

function isWithin(desired: unknown, live: unknown): boolean {
  if (Array.isArray(desired)) return Array.isArray(live) && live.length === desired.length && desired.every((entry, index) => isWithin(entry, live[index]));
  if (desired === null || typeof desired !== 'object') return Object.is(desired, live);
  const fields = Object.entries(desired).filter(([, value]) => value !== undefined);
  // The server leaves empty objects out.
  if (live === null || live === undefined || typeof live !== 'object') return fields.length === 0 && live === undefined;
  return fields.every(([key, value]) => isWithin(value, (live as Record<string, unknown>)[key]));
}

type Fields = Readonly<Record<string, unknown>>;

function union(a: Fields, b: Fields): Fields {
  const merged: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) merged[key] = key in merged ? union(merged[key] as Fields, value as Fields) : value;
  return merged;
}
