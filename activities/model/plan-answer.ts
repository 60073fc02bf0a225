/**
 * The shape of a plan as a model is asked for it: every field there, null for none, as strict structured
 * output wants it. It only guides: what a plan may be is decided by `parsePlan` and `validatePlan`.
 */
import type { Schema } from './model.ts';

const text = { type: 'string' } as const;
const texts = { type: 'array', items: text } as const;

function record(properties: Readonly<Record<string, unknown>>): Schema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}

const orNull = (schema: Schema): Schema => ({ anyOf: [schema, { type: 'null' }] });

export const PLAN_ANSWER: Schema = record({
  features: {
    type: 'array',
    items: record({
      id: text,
      title: text,
      blueprint: text,
      change: orNull(text),
      brief: orNull(text),
      targetAppId: text,
      createsApp: orNull(record({ slug: text, kind: { type: 'string', enum: ['react', 'fullstack'] }, name: text })),
      services: texts,
      requires: texts,
      subtasks: { type: 'array', items: record({ id: text, title: text }) },
    }),
  },
});
