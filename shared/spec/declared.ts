/**
 * The declared state of a project at one moment: what `.adorable/spec.json` says, what a
 * checkpoint keeps and what the namespace is rendered from.
 */
import type { AppId, RevisionId } from '../ids.ts';
import type { Slug } from '../slug.ts';

export type AppKind = 'react' | 'fullstack';

export interface DeclaredApp {
  readonly id: AppId;
  readonly slug: Slug;
  readonly name: string;
  readonly kind: AppKind;
  readonly isPrimary: boolean;
  /** Directory below `apps/`; equal to the slug for apps made here. */
  readonly fsDirName: string;
}

export interface Declared {
  readonly apps: readonly DeclaredApp[];
  /** Flat, project-wide, sorted: built-in and catalog service ids. */
  readonly services: readonly string[];
  /** Version of each catalog service at that moment. */
  readonly serviceVersions: Readonly<Record<string, string>>;
  readonly revisionId: RevisionId | null;
}

export const EMPTY_DECLARED: Declared = { apps: [], services: [], serviceVersions: {}, revisionId: null };
