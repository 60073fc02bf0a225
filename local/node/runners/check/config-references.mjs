/** What tsconfig and package.json point at: paths that tools follow although no import names them. */
import { basename } from 'node:path';

const TS_PATHS = ['baseUrl', 'rootDir', 'outDir', 'declarationDir', 'tsBuildInfoFile', 'rootDirs', 'typeRoots'];

export function configReferences(file, text) {
  const name = basename(file);
  const isPackage = name === 'package.json';
  const isTsConfig = /^(?:ts|js)config(?:\..+)?\.json$/.test(name);
  if (!isPackage && !isTsConfig) return [];
  const found = [];
  const add = (specifier, how = 'path') => {
    if (typeof specifier !== 'string') return;
    const at = text.indexOf(JSON.stringify(specifier));
    found.push({ specifier, how, fromRoot: false, line: at === -1 ? 1 : text.slice(0, at).split('\n').length });
  };
  const json = parseJsonc(text);
  if (!json || typeof json !== 'object') return [];
  if (isPackage) packageReferences(json, add);
  else tsConfigReferences(json, add);
  return found;
}

function tsConfigReferences({ compilerOptions = {}, ...json }, add) {
  for (const value of all(json.extends)) add(value, /^\.|^\//.test(String(value)) ? 'path' : 'module');
  for (const value of [...all(json.include), ...all(json.files)]) add(value, 'pattern');
  for (const reference of all(json.references)) add(reference?.path);
  for (const option of TS_PATHS) for (const value of all(compilerOptions[option])) add(value);
  for (const targets of Object.values(compilerOptions.paths ?? {})) for (const target of all(targets)) add(target, 'pattern');
}

function packageReferences(json, add) {
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']) {
    for (const version of Object.values(json[kind] ?? {})) {
      const [, path] = /^(?:file|link|portal|workspace):(.*)$/.exec(String(version)) ?? [];
      if (path !== undefined) add(String(version), 'computed');
    }
  }
  for (const workspace of all(json.workspaces?.packages ?? json.workspaces)) add(workspace, 'pattern');
  for (const target of strings(json.imports)) add(target, /^\./.test(target) ? 'pattern' : 'module');
}

const all = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
const strings = (value) => (typeof value === 'string' ? [value] : value && typeof value === 'object' ? Object.values(value).flatMap(strings) : []);

/** JSON with comments and trailing commas, as tsconfig allows; undefined when it is neither (tsc reports that). */
function parseJsonc(text) {
  const plain = text
    .replace(/("(?:[^"\\\n]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, string) => string ?? '')
    .replace(/("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])/g, (_, string) => string ?? '');
  try {
    return JSON.parse(plain);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
