/**
 * What the architect proposes: features, each aimed at one app. A feature for an app that does not
 * exist yet targets `$NEW:<featureId>` and carries `createsApp`; it never aims at the primary app
 * for want of a better one (I4).
 */
import type { AppKind } from '../spec/declared.ts';

export interface CreatesApp {
  readonly slug: string;
  readonly kind: AppKind;
  readonly name: string;
}

export interface PlanFeature {
  readonly id: string;
  readonly title: string;
  /** Blueprint that the producer builds it from. */
  readonly blueprint: string;
  /** An app id, or `$NEW:<featureId>` while that app does not exist. */
  readonly targetAppId: string;
  readonly createsApp?: CreatesApp;
  /** Services the feature needs, built-in and catalog. */
  readonly services: readonly string[];
  /** Ids of features that come before this one. */
  readonly requires: readonly string[];
  readonly subtasks: readonly { readonly id: string; readonly title: string }[];
}

export interface ProposedPlan {
  readonly message: string;
  readonly features: readonly PlanFeature[];
}

/** What a blueprint says of itself in `blueprints/<id>/blueprint.json`. */
export interface Blueprint {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly kind: AppKind;
  readonly slug: string;
  readonly name: string;
  /** One strong word names the blueprint; two weak ones do together. */
  readonly keywords: { readonly strong: readonly string[]; readonly weak: readonly string[] };
  readonly services: readonly string[];
  readonly subtasks: readonly { readonly id: string; readonly title: string }[];
}

export interface ArchitectProject {
  readonly apps: readonly { readonly id: string; readonly slug: string; readonly kind: AppKind; readonly isPrimary: boolean }[];
  readonly services: readonly string[];
}
