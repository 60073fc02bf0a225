/**
 * What the architect proposes: features, each aimed at one app. A feature for an app that does not
 * exist yet targets `$NEW:<featureId>` and carries `createsApp`; it never aims at the primary app
 * for want of a better one (I4). The document is kept as the proposed `.adorable/spec.json`.
 */
import type { AppId } from '../ids.ts';
import type { AppKind } from '../spec/declared.ts';

export const PLAN_VERSION = 1;
export const SENTINEL = '$NEW:';
/** In a blueprint's place: the model writes the feature from its brief. No blueprint has this id. */
export const BY_MODEL = 'model';

export interface CreatesApp {
  readonly slug: string;
  readonly kind: AppKind;
  readonly name: string;
}

export interface PlanFeature {
  readonly id: string;
  readonly title: string;
  /** Blueprint that the producer builds it from, or `BY_MODEL`. */
  readonly blueprint: string;
  /** One of the blueprint's changes to an app that is there, the model's own by the feature's id; null for what makes the app. */
  readonly change: string | null;
  /** What the model is told to build: of its features only. */
  readonly brief?: string;
  /** An app id, or `$NEW:<featureId>` while that app does not exist. */
  readonly targetAppId: string;
  readonly createsApp?: CreatesApp;
  /** Services the feature needs, built-in and catalog. */
  readonly services: readonly string[];
  /** Ids of features of the same app that come before this one. */
  readonly requires: readonly string[];
  readonly subtasks: readonly PlanSubtask[];
}

export interface PlanSubtask {
  readonly id: string;
  readonly title: string;
}

export interface ProposedPlan {
  readonly version: typeof PLAN_VERSION;
  readonly message: string;
  readonly features: readonly PlanFeature[];
}

export interface Keywords {
  /** One strong word names it; two weak ones do together. */
  readonly strong: readonly string[];
  readonly weak: readonly string[];
}

/** What a blueprint says of itself in `blueprints/<id>/blueprint.json`. */
export interface Blueprint {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly kind: AppKind;
  readonly slug: string;
  readonly name: string;
  readonly keywords: Keywords;
  readonly services: readonly string[];
  readonly subtasks: readonly PlanSubtask[];
  /** What it can do to an app that is there, from `blueprints/<id>/features/<change>/feature.json`. */
  readonly changes: readonly BlueprintChange[];
}

export interface BlueprintChange {
  readonly id: string;
  readonly title: string;
  readonly summary: string;
  readonly keywords: Keywords;
  readonly services: readonly string[];
  readonly subtasks: readonly PlanSubtask[];
}

export interface ArchitectApp {
  readonly id: AppId;
  readonly slug: string;
  readonly name: string;
  readonly kind: AppKind;
  readonly isPrimary: boolean;
  readonly archived: boolean;
  /** What it was made from; null when nobody recorded it. */
  readonly blueprint: string | null;
  /** Changes that it carries already. */
  readonly changes: readonly string[];
}

/** A project as a plan is held against it: its own apps and nobody else's (I8). */
export interface ArchitectProject {
  readonly apps: readonly ArchitectApp[];
  readonly services: readonly string[];
}

/** What a plan may ask for. */
export interface PlanCatalog {
  readonly blueprints: readonly Blueprint[];
  readonly services: readonly { readonly id: string; readonly requires: readonly string[] }[];
  /** Whether a model is there to write what no blueprint has. */
  readonly model?: boolean;
}

export const sentinelOf = (featureId: string): string => `${SENTINEL}${featureId}`;

/** The feature that creates the app which is aimed at; undefined for an app that exists. */
export function creatorOf(feature: Pick<PlanFeature, 'targetAppId'>): string | undefined {
  return feature.targetAppId.startsWith(SENTINEL) ? feature.targetAppId.slice(SENTINEL.length) : undefined;
}
