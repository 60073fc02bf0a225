/**
 * `.adorable/spec.json`: parsing, and the one derivation of an app's shape from the services.
 */
import { AdorableError } from '../errors.ts';
import { parseAppId, parseProjectId, parseRevisionId } from '../ids.ts';
import type { ProjectId } from '../ids.ts';
import { parseSlug } from '../slug.ts';
import type { AppKind, Declared, DeclaredApp } from './declared.ts';

export const SPEC_VERSION = 1;
export const SPEC_PATH = '.adorable/spec.json';

export interface ProjectSpec extends Declared {
  readonly version: typeof SPEC_VERSION;
  readonly projectId: ProjectId;
}

/** The seed's derivation: the stored kind of the primary is not trusted, since it drifts. */
export function effectiveKind(app: Pick<DeclaredApp, 'isPrimary' | 'kind'>, services: readonly string[]): AppKind {
  return app.isPrimary && services.includes('trpc-api') ? 'fullstack' : app.kind;
}

export function buildProjectSpec(projectId: ProjectId, declared: Declared): ProjectSpec {
  return {
    version: SPEC_VERSION,
    projectId,
    apps: [...declared.apps].sort((a, b) => (a.slug < b.slug ? -1 : 1)),
    services: [...new Set(declared.services)].sort(),
    serviceVersions: declared.serviceVersions,
    revisionId: declared.revisionId,
  };
}

/** Stable text: equal specs are equal files, so that equal moments have equal trees. */
export function specText(spec: ProjectSpec): string {
  return `${JSON.stringify(spec, sortedKeys, 2)}\n`;
}

function sortedKeys(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function parseSpec(text: string): ProjectSpec {
  const raw = parseObject(text);
  if (raw['version'] !== SPEC_VERSION) {
    throw new AdorableError('PreconditionFailed', `spec.json has version ${JSON.stringify(raw['version'])}, this runtime reads ${String(SPEC_VERSION)}: use the runtime that wrote it.`);
  }
  const projectId = parseProjectId(raw['projectId']);
  const apps = array(raw['apps'], 'apps').map(parseApp);
  const services = array(raw['services'], 'services').map((id) => text_(id, 'services'));
  refuseDuplicates(apps);
  return {
    version: SPEC_VERSION,
    projectId,
    apps,
    services,
    serviceVersions: parseVersions(raw['serviceVersions']),
    revisionId: raw['revisionId'] == null ? null : parseRevisionId(raw['revisionId']),
  };
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new AdorableError('InvalidInput', 'spec.json is not JSON: restore it from git.', { cause });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new AdorableError('InvalidInput', 'spec.json is not an object: restore it from git.');
  }
  return value as Record<string, unknown>;
}

function parseVersions(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new AdorableError('InvalidInput', 'spec.json: serviceVersions is not an object.');
  return Object.fromEntries(Object.entries(value).map(([id, version]) => [id, text_(version, 'serviceVersions')]));
}

function parseApp(value: unknown): DeclaredApp {
  if (typeof value !== 'object' || value === null) throw new AdorableError('InvalidInput', 'spec.json: an app is not an object.');
  const raw = value as Record<string, unknown>;
  const kind = raw['kind'];
  if (kind !== 'react' && kind !== 'fullstack') throw new AdorableError('InvalidInput', `spec.json: unknown app kind ${JSON.stringify(kind)}.`);
  const slug = parseSlug(raw['slug']);
  const fsDirName = raw['fsDirName'] ?? slug;
  if (typeof fsDirName !== 'string' || !/^[a-z0-9][a-z0-9-]*$/.test(fsDirName)) {
    throw new AdorableError('InvalidInput', `spec.json: app ${slug} names a directory that is not one below apps/.`);
  }
  return { id: parseAppId(raw['id']), slug, name: text_(raw['name'], 'name'), kind, isPrimary: raw['isPrimary'] === true, fsDirName };
}

function refuseDuplicates(apps: readonly DeclaredApp[]): void {
  for (const [name, keyOf] of [['slug', (app: DeclaredApp) => app.slug], ['id', (app: DeclaredApp) => app.id], ['directory', (app: DeclaredApp) => app.fsDirName]] as const) {
    if (new Set(apps.map(keyOf)).size !== apps.length) throw new AdorableError('InvalidInput', `spec.json: two apps share one ${name}.`);
  }
  if (apps.filter((app) => app.isPrimary).length > 1) throw new AdorableError('InvalidInput', 'spec.json: more than one primary app.');
}

function array(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new AdorableError('InvalidInput', `spec.json: ${name} is not a list.`);
}

function text_(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new AdorableError('InvalidInput', `spec.json: ${name} holds something that is not text.`);
}
