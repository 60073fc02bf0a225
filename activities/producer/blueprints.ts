/** The blueprints of `blueprints/<id>/`: what each says of itself, and the files of its template. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Blueprint, BlueprintChange, PlanCatalog } from '../../shared/architect/plan.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { ServiceRegistry } from '../../shared/services/registry.ts';

const ID = /^[a-z][a-z0-9-]*$/;

export async function readBlueprints(blueprintsDir: string): Promise<readonly Blueprint[]> {
  const entries = await readdir(blueprintsDir, { withFileTypes: true });
  const ids = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  return await Promise.all(ids.map((id) => readBlueprint(blueprintsDir, id)));
}

/** What a plan may ask for: the blueprints, the services with what each requires, and the model where there is one. */
export async function readPlanCatalog(blueprintsDir: string, registry: ServiceRegistry, model = false): Promise<PlanCatalog> {
  const services = registry.ids.map((id) => ({ id, requires: registry.builtIn(id)?.requires ?? registry.find(id)?.requires ?? [] }));
  return { blueprints: await readBlueprints(blueprintsDir), services, model };
}

export async function readBlueprint(blueprintsDir: string, id: string): Promise<Blueprint> {
  if (!ID.test(id)) throw new AdorableError('NoBlueprint', `${JSON.stringify(id.slice(0, 60))} is not a blueprint's id.`);
  const own = await readJson<Omit<Blueprint, 'changes'>>(join(blueprintsDir, id, 'blueprint.json'), `There is no blueprint ${id}.`);
  if (own.id !== id) throw new AdorableError('InvariantViolated', `The blueprint ${id} calls itself ${own.id}.`);
  const folder = join(blueprintsDir, id, 'features');
  const changes = existsSync(folder) ? (await readdir(folder)).filter((name) => ID.test(name)).sort() : [];
  return { ...own, changes: await Promise.all(changes.map((change) => readChange(blueprintsDir, id, change))) };
}

async function readChange(blueprintsDir: string, id: string, change: string): Promise<BlueprintChange> {
  const own = await readJson<BlueprintChange>(join(blueprintsDir, id, 'features', change, 'feature.json'), `The blueprint ${id} has no change ${change}.`);
  if (own.id !== change) throw new AdorableError('InvariantViolated', `The change ${change} of ${id} calls itself ${own.id}.`);
  return own;
}

async function readJson<T>(file: string, absent: string): Promise<T> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new AdorableError('NoBlueprint', absent, { cause });
  }
  return JSON.parse(text) as T;
}

export interface TemplateFile {
  /** Relative to the app's directory, with `/`. */
  readonly path: string;
  readonly content: Buffer;
}

/** In the order of their paths, so that two productions are byte for byte alike. */
export async function readTemplate(blueprintsDir: string, id: string): Promise<readonly TemplateFile[]> {
  return await readFiles(join(blueprintsDir, id, 'template'));
}

/** Every file below a folder; none where there is no folder. */
export async function readFiles(root: string): Promise<readonly TemplateFile[]> {
  if (!existsSync(root)) return [];
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split('/').includes('node_modules'))
    .sort();
  return await Promise.all(paths.map(async (path) => ({ path, content: await readFile(join(root, path)) })));
}
