/**
 * What two rendered namespaces have in common. Equal moments have equal digests: fences, ids of
 * timelines, checksums of current secrets and replicas are not part of a moment.
 */
import { createHash } from 'node:crypto';
import type { KubeObject } from './kube-object.ts';
import { APPLIED, ENV_CHECKSUM, FENCE, TIMELINE } from './names.ts';

const NOT_OF_A_MOMENT: ReadonlySet<string> = new Set([APPLIED, ENV_CHECKSUM, FENCE, TIMELINE, 'replicas', 'uid', 'resourceVersion']);
const ID_VARIABLES: ReadonlySet<unknown> = new Set(['TENANT_ID', 'TIMELINE_ID']);

export function manifestDigest(objects: readonly KubeObject[]): string {
  const lines = objects.map((object) => canonical(object, (key, value) => NOT_OF_A_MOMENT.has(key) || (key === 'env' && isIdVariable(value)))).sort();
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}

function isIdVariable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'name' in value && ID_VARIABLES.has(value.name);
}

/** JSON with sorted keys. `leaveOut` is asked for each field, and for each entry of a list under the list's key. */
export function canonical(value: unknown, leaveOut: (key: string, value: unknown) => boolean = () => false): string {
  return JSON.stringify(value, (key, field: unknown) => {
    if (Array.isArray(field)) return field.filter((entry) => !leaveOut(key, entry));
    if (field === null || typeof field !== 'object') return field;
    return Object.fromEntries(Object.entries(field).filter(([name, inner]) => !leaveOut(name, inner)).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
