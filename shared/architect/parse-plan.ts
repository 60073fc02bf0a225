/**
 * The shape of a plan document, every field known: an unknown one is refused rather than ignored,
 * and all that is wrong with it is said at once. What it means for a project is `validatePlan`'s.
 */
import { z } from 'zod';
import { PLAN_VERSION } from './plan.ts';
import type { ProposedPlan } from './plan.ts';

export interface PlanReason {
  readonly code: PlanReasonCode;
  /** Where in the document, e.g. `features.1.targetAppId`. */
  readonly at: string;
  /** One sentence for people, and for whoever proposes the next plan. */
  readonly message: string;
}

export type PlanReasonCode =
  | 'version' | 'shape' | 'duplicate-feature' | 'duplicate-subtask'
  | 'unknown-app' | 'archived-app' | 'sentinel-without-creator' | 'creator-without-sentinel'
  | 'slug' | 'slug-is-service' | 'slug-taken' | 'slug-look-alike' | 'duplicate-slug'
  | 'unknown-blueprint' | 'unknown-change' | 'wrong-kind' | 'wrong-blueprint' | 'overwrites-app' | 'no-model' | 'brief' | 'change-present' | 'duplicate-change'
  | 'unknown-service' | 'missing-service'
  | 'unknown-requirement' | 'requirement-of-another-app' | 'cyclic-requirement';

const MAX_FEATURES = 200;
const id = z.string().regex(/^[a-z](?:-?[a-z0-9])*$/, 'lower-case letters, digits and single dashes').max(60);
const subtaskId = z.string().regex(/^[a-z0-9]+(?:[-/][a-z0-9]+)*$/, 'lower-case letters, digits, dashes and slashes').max(120);
/** Shown to people and written into files: no control characters, nothing that turns the direction of text. */
const line = (max: number) => z.string().min(1).max(max).regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069]*$/u, 'one line of plain text').refine((text) => text.trim() === text, 'no space at its ends');

/** Several lines of the same. */
const text = (max: number) => z.string().min(1).max(max).regex(/^(?:[\n\t]|[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069])*$/u, 'plain text');

const feature = z.strictObject({
  id,
  title: line(120),
  blueprint: z.string().max(60),
  change: z.string().max(60).nullable(),
  brief: text(8000).optional(),
  targetAppId: z.string().max(80),
  createsApp: z.strictObject({ slug: z.string().max(80), kind: z.enum(['react', 'fullstack']), name: line(60) }).optional(),
  services: z.array(z.string().max(60)).max(50),
  requires: z.array(z.string().max(60)).max(MAX_FEATURES),
  // A feature without a subtask would be in nobody's bucket.
  subtasks: z.array(z.strictObject({ id: subtaskId, title: line(200) })).min(1).max(50),
});

const plan = z.strictObject({
  version: z.literal(PLAN_VERSION),
  message: z.string().min(1).max(4000),
  features: z.array(feature).min(1).max(MAX_FEATURES),
});

/** The document, or every reason why it is none. */
export function parsePlan(document: unknown): { readonly plan: ProposedPlan } | { readonly reasons: readonly PlanReason[] } {
  const version = (document as { version?: unknown } | null | undefined)?.version;
  if (typeof version === 'number' && version > PLAN_VERSION) {
    return { reasons: [{ code: 'version', at: 'version', message: `The plan has version ${String(version)}, this runtime reads ${String(PLAN_VERSION)}: use the runtime that wrote it.` }] };
  }
  const parsed = plan.safeParse(document);
  if (parsed.success) return { plan: toPlan(parsed.data) };
  return { reasons: parsed.error.issues.map((issue) => ({ code: 'shape', at: issue.path.join('.') || 'the plan', message: `${issue.path.join('.') || 'The plan'}: ${issue.message}.` })) };
}

/** `createsApp` and `brief` are there or they are not: `undefined` is no value of a document. */
function toPlan({ version, message, features }: z.infer<typeof plan>): ProposedPlan {
  return { version, message, features: features.map(({ createsApp, brief, ...rest }) => ({ ...rest, ...(createsApp === undefined ? {} : { createsApp }), ...(brief === undefined ? {} : { brief }) })) };
}
