/**
 * A catalog service as `config/services/{id}/service.json` declares it, parsed with every field
 * known: an unknown one is refused rather than ignored.
 */
import { z } from 'zod';
import { AdorableError } from '../errors.ts';

const id = z.string().regex(/^[a-z](?:-?[a-z0-9])+$/).max(40);
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);
const port = z.int().min(1).max(65_535);
const quantities = z.record(z.string(), z.string());

const readyCheck = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/'), port }).optional(),
  tcpSocket: z.strictObject({ port }).optional(),
  exec: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
  periodSeconds: z.int().min(1).default(2),
  timeoutSeconds: z.int().min(1).default(3),
  /** How long a start may take before the tier goes on without it. */
  startupSeconds: z.int().min(1).default(60),
}).refine((check) => [check.httpGet, check.tcpSocket, check.exec].filter(Boolean).length === 1, 'names exactly one of httpGet, tcpSocket and exec');

const secret = z.discriminatedUnion('kind', [
  z.strictObject({ name: variable, kind: z.literal('random'), bytes: z.int().min(16).max(128).default(32) }),
  z.strictObject({ name: variable, kind: z.literal('value'), value: z.string() }),
]);

export const catalogService = z.strictObject({
  id,
  title: z.string().min(1),
  description: z.string().optional(),
  version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/),
  licence: z.string().optional(),
  image: z.string().min(1),
  port,
  state: z.enum(['none', 'branch', 'objects', 'volume']),
  /** State that no checkpoint covers, named in a restore's plan. */
  uncovered: z.array(z.strictObject({ what: z.string(), why: z.string() })).default([]),
  requires: z.array(id).default([]),
  readyCheck,
  exposes: z.strictObject({ ingress: z.boolean(), public: z.boolean().default(false) }).default({ ingress: false, public: false }),
  /** Its own schema in the project's branch: the login role that owns it, and which secret holds its password. */
  schema: z.strictObject({ name: z.string(), role: z.string(), passwordSecret: variable }).optional(),
  secrets: z.array(secret).default([]),
  env: z.record(variable, z.string()).default({}),
  resources: z.strictObject({ requests: quantities.optional(), limits: quantities.optional() }).default({}),
  /** Variables that every app of the project is given. */
  provides: z.record(variable, z.string()).default({}),
  steps: z.strictObject({ beforeStart: z.string().optional(), seed: z.string().optional() }).default({}),
});

export type CatalogService = z.infer<typeof catalogService>;

export function parseCatalogService(value: unknown, where: string): CatalogService {
  const parsed = catalogService.safeParse(value);
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'it'}: ${issue.message}`).join('; ');
  throw new AdorableError('InvalidInput', `${where} is not a catalog service: ${reasons}.`);
}

/** The image as a moment had it: its tag follows the version that the moment declared. */
export function imageAt(service: CatalogService, version: string | undefined): string {
  const tag = `:${service.version}`;
  return version !== undefined && service.image.endsWith(tag) ? `${service.image.slice(0, -tag.length)}:${version}` : service.image;
}
