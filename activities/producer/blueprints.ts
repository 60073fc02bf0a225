/** The blueprints of `blueprints/<id>/`: what each says of itself, and the files of its template. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { Blueprint } from '../../shared/architect/plan.ts';
import { AdorableError } from '../../shared/errors.ts';

export async function readBlueprints(blueprintsDir: string): Promise<readonly Blueprint[]> {
  const entries = await readdir(blueprintsDir, { withFileTypes: true });
  const ids = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
  return await Promise.all(ids.map((id) => readBlueprint(blueprintsDir, id)));
}

export async function readBlueprint(blueprintsDir: string, id: string): Promise<Blueprint> {
  if (!/^[a-z][a-z0-9-]*$/.test(id)) throw new AdorableError('NoBlueprint', `${JSON.stringify(id.slice(0, 60))} is not a blueprint's id.`);
  let text: string;
  try {
    text = await readFile(join(blueprintsDir, id, 'blueprint.json'), 'utf8');
  } catch (cause) {
    throw new AdorableError('NoBlueprint', `There is no blueprint ${id}.`, { cause });
  }
  const blueprint = JSON.parse(text) as Blueprint;
  if (blueprint.id !== id) throw new AdorableError('InvariantViolated', `The blueprint ${id} calls itself ${blueprint.id}.`);
  return blueprint;
}

export interface TemplateFile {
  /** Relative to the app's directory, with `/`. */
  readonly path: string;
  readonly content: Buffer;
}

/** In the order of their paths, so that two productions are byte for byte alike. */
export async function readTemplate(blueprintsDir: string, id: string): Promise<readonly TemplateFile[]> {
  const root = join(blueprintsDir, id, 'template');
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.split('/').includes('node_modules'))
    .sort();
  return await Promise.all(paths.map(async (path) => ({ path, content: await readFile(join(root, path)) })));
}
