/**
 * App slugs: one rule for the directory, the Deployment, the host name and the service ids they
 * share a namespace of names with. ASCII only, so that case and look-alikes cannot collide.
 */
import { AdorableError } from './errors.ts';

declare const brand: unique symbol;
export type Slug = string & { readonly [brand]: 'Slug' };

/** Names that Kubernetes objects, routes or directories of a project already use. */
const RESERVED = new Set(['app', 'neon-compute', 'postgres', 's3', 'api', 'www', 'admin', 'adorable', 'git', 'default']);

/** `<slug>-<project>` must fit one DNS label: 63 - 1 - 10. */
const MAX_LENGTH = 40;

export function parseSlug(value: unknown): Slug {
  if (typeof value !== 'string' || !/^[a-z](?:-?[a-z0-9])+$/.test(value) || value.length > MAX_LENGTH) {
    throw new AdorableError(
      'InvalidInput',
      `${JSON.stringify(String(value).slice(0, 60))} is not an app slug: lower-case letters, digits and single dashes, 2 to ${String(MAX_LENGTH)} characters, starting with a letter.`,
    );
  }
  if (RESERVED.has(value)) throw new AdorableError('InvalidInput', `The slug ${value} is reserved: choose another.`);
  return value as Slug;
}

/** A slug is also refused when a service, built-in or catalog, has that id. */
export function refuseServiceName(slug: Slug, serviceIds: Iterable<string>): Slug {
  for (const id of serviceIds) {
    if (id === slug) throw new AdorableError('InvalidInput', `The slug ${slug} is a service id: choose another.`);
  }
  return slug;
}
