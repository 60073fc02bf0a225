/** What tsconfig and package.json point at: paths that tools follow although no import names them. */
import { basename } from 'node:path';

const TS_PATHS = ['baseUrl', 'rootDir', 'rootDirs', 'typeRoots', 'outDir', 'outFile', 'declarationDir', 'tsBuildInfoFile', 'generateTrace', 'generateCpuProfile'];

export function configReferences(file, text) {
  const isPackage = basename(file) === 'package.json';
  const json = parseJsonc(text);
  // By what it says: any file may be what a tsconfig extends.
  const isTsConfig = isObject(json) && ['compilerOptions', 'extends', 'references', 'include', 'files'].some((key) => key in json);
  if (!isPackage && !isTsConfig) return [];
  const found = [];
  const add = (specifier, how = 'path', extra = {}) => {
    if (typeof specifier !== 'string') return;
    const at = text.indexOf(JSON.stringify(specifier));
    found.push({ specifier, how, fromRoot: false, line: at === -1 ? 1 : text.slice(0, at).split('\n').length, ...extra });
  };
  if (isPackage) packageReferences(isObject(json) ? json : {}, add);
  if (isTsConfig) tsConfigReferences(json, add);
  return found;
}

function tsConfigReferences(json, add) {
  const compilerOptions = isObject(json.compilerOptions) ? json.compilerOptions : {};
  for (const value of all(json.extends)) {
    add(value, isPath(value) ? 'path' : 'module');
    if (isPath(value) && !/\.json$/.test(value)) add(value, 'refused', { reason: `${JSON.stringify(value)} does not end in .json: it would not be checked` });
  }
  for (const value of [...all(json.include), ...all(json.files)]) add(value, 'pattern');
  for (const reference of all(json.references)) add(reference?.path);
  for (const option of TS_PATHS) for (const value of all(compilerOptions[option])) add(value);
  for (const value of [...all(compilerOptions.types), compilerOptions.jsxImportSource]) if (isPath(value)) add(value);
  for (const targets of Object.values(compilerOptions.paths ?? {})) for (const target of all(targets)) add(target, 'pattern');
}

function packageReferences(json, add) {
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']) {
    for (const version of strings(json[kind])) {
      if (/^(?:file|link|portal|workspace):/.test(version)) add(version, 'refused', { reason: `${JSON.stringify(version.slice(0, 120))} is no package of the registry` });
    }
  }
  for (const workspace of all(json.workspaces?.packages ?? json.workspaces)) add(workspace, 'pattern');
  for (const key of ['main', 'module', 'browser', 'types', 'typings', 'exports', 'imports', 'bin', 'files', 'typesVersions']) {
    for (const target of strings(json[key])) add(target, key === 'imports' && !isPath(target) ? 'module' : 'pattern');
  }
}

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);
const isPath = (value) => /^(?:\.{1,2}(?:[\\/]|$)|[\\/])/.test(String(value));
const all = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);
const strings = (value) => (typeof value === 'string' ? [value] : value && typeof value === 'object' ? Object.values(value).flatMap(strings) : []);

/** JSON with comments and trailing commas, as tsconfig allows. */
function parseJsonc(text) {
  const plain = text
    .replace(/("(?:[^"\\\n]|\\.)*")|\/\/[^\n]*|\/\*[\s\S]*?\*\//g, (_, string) => string ?? '')
    .replace(/("(?:[^"\\\n]|\\.)*")|,(?=\s*[}\]])/g, (_, string) => string ?? '');
  try {
    return JSON.parse(plain);
  } catch (error) {
    throw error instanceof SyntaxError ? new Error(`is not JSON: ${error.message.slice(0, 100)}`) : error;
  }
}
