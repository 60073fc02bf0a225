/** Reads `config/services/{id}/service.json`; the folder's name must be the service's id. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AdorableError } from '../../shared/errors.ts';
import { createRegistry } from '../../shared/services/registry.ts';
import type { ServiceRegistry } from '../../shared/services/registry.ts';

const FOLDER = fileURLToPath(new URL('../../config/services', import.meta.url));

export function loadCatalog(folder = FOLDER): ServiceRegistry {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name).sort();
  return createRegistry(names.map((name) => {
    const where = join(folder, name, 'service.json');
    const value = parse(where);
    const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
    if (id !== name) throw new AdorableError('InvalidInput', `${where} has the id ${JSON.stringify(id)}: name the folder after it.`);
    return { where, value };
  }));
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new AdorableError('InvalidInput', `${file} cannot be read as JSON: mend it.`, { cause });
  }
}
