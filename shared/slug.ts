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

/** Latin letters that others are taken for; what NFKC folds by itself is not listed. */
const CONFUSABLE: Readonly<Record<string, string>> = {
  а: 'a', в: 'b', е: 'e', к: 'k', м: 'm', н: 'h', о: 'o', р: 'p', с: 'c', т: 't', у: 'y', х: 'x', ѕ: 's', і: 'i', ј: 'j', ԁ: 'd', ɡ: 'g', ո: 'n',
  α: 'a', ε: 'e', ι: 'i', κ: 'k', ν: 'v', ο: 'o', ρ: 'p', τ: 't', υ: 'u', χ: 'x', ı: 'i', ł: 'l', ø: 'o', đ: 'd',
  0: 'o', 1: 'l', i: 'l',
};

/** What a reader takes a name for: two names with one skeleton would be mistaken for each other. */
export function slugSkeleton(value: string): string {
  const plain = value.normalize('NFKC').toLowerCase().normalize('NFD').replace(/[\p{M}\p{Cf}\p{P}\p{Z}]/gu, '');
  return [...plain].map((char) => CONFUSABLE[char] ?? char).map((char) => CONFUSABLE[char] ?? char).join('').replaceAll('rn', 'm').replaceAll('vv', 'w');
}

/** A slug out of a display name; undefined when nothing of it is left. */
export function toSlug(name: string): Slug | undefined {
  const text = name.normalize('NFKC').toLowerCase().normalize('NFD').replace(/\p{M}/gu, '').replace(/[^a-z0-9]+/g, '-').replace(/^[-0-9]+|-+$/g, '');
  const slug = text.slice(0, MAX_LENGTH).replace(/-+$/, '');
  return /^[a-z](?:-?[a-z0-9])+$/.test(slug) && !RESERVED.has(slug) ? slug as Slug : undefined;
}

/** A slug is also refused when a service, built-in or catalog, has that id. */
export function refuseServiceName(slug: Slug, serviceIds: Iterable<string>): Slug {
  for (const id of serviceIds) {
    if (id === slug) throw new AdorableError('InvalidInput', `The slug ${slug} is a service id: choose another.`);
  }
  return slug;
}
