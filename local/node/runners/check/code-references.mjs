/**
 * Every reference of a piece of code to something else, with its line, by the bundler's own parser:
 * imports of all kinds, globs, assets, workers, what comments ask of TypeScript, and paths that server
 * code reads. `how`: `module` is resolved by the bundler, `path` from the file, `pattern` is a glob,
 * `file` is what Node would open, `refused` is a reason in itself.
 */
import { bare, isMeta, lineFinder, literal, nameOf, objectOf, walk } from './ast.mjs';
import { serverReferences } from './server-references.mjs';

const WORKERS = new Set(['Worker', 'SharedWorker']);

export function codeReferences({ file, text, vite, dir, firstLine = 1 }) {
  const { program, comments } = parse(file, text, vite);
  const lineAt = lineFinder(text, firstLine);
  const references = [];
  const push = (node, reference) => references.push({ line: lineAt(node.start), ...reference });
  const add = (node, how, fromRoot) => {
    const specifier = literal(node);
    if (specifier !== undefined) push(node, { specifier, how, fromRoot });
    else if (node) push(node, { specifier: '', how: 'refused', reason: 'the path of this reference is computed: it cannot be checked, so it is not allowed' });
  };

  for (const { value, start } of comments ?? []) for (const found of commentReferences(value)) references.push({ ...found, line: lineAt(start + found.at) });
  walk(program, (node) => {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
      case 'ImportExpression':
        if (node.source) add(node.source, 'module');
        break;
      case 'TSImportType':
        add(node.source ?? node.argument?.literal ?? node.argument, 'module');
        break;
      case 'TSExternalModuleReference':
        add(node.expression, 'module');
        break;
      case 'TSModuleDeclaration':
        // `declare module './x'` extends that file; a bare name may be one that nobody has.
        if (/^[./]/.test(literal(node.id) ?? '')) add(node.id, 'module');
        break;
      case 'CallExpression':
        callReferences(node, add);
        break;
      case 'NewExpression':
        if (nameOf(node.callee) === 'URL' && isMetaUrl(node.arguments[1])) add(node.arguments[0], 'path', true);
        if (WORKERS.has(nameOf(node.callee)) && literal(node.arguments[0]) !== undefined) add(node.arguments[0], 'path', true);
        break;
    }
  });
  for (const { node, ...found } of serverReferences({ program, file, dir })) push(node, found);
  return references;
}

/** A `.js` file may hold JSX; what does not parse at all can be checked by nobody. */
function parse(file, text, vite) {
  const found = vite.parseSync(file, text);
  if (found.errors.length === 0) return found;
  const again = vite.parseSync(file, text, { lang: /\.[cm]?jsx?$/.test(file) ? 'jsx' : 'tsx' });
  if (again.errors.length === 0) return again;
  const [error] = found.errors;
  const offset = error.labels?.[0]?.start ?? 0;
  throw Object.assign(new Error(`does not parse: ${error.message}`), { line: lineFinder(text)(offset) });
}

function callReferences({ callee, arguments: [first, second] }, add) {
  const name = nameOf(callee);
  const object = objectOf(callee);
  if (name === 'require' || (name === 'resolve' && nameOf(object) === 'require')) add(first, 'module');
  if (name === 'resolve' && isMeta(object)) add(first, 'module');
  if (name === 'importScripts') add(first, 'path', true);
  if (name === 'register' && nameOf(object) === 'serviceWorker' && literal(first) !== undefined) add(first, 'path', true);
  if (/^glob/.test(name ?? '') && isMeta(object)) {
    const patterns = bare(first)?.type === 'ArrayExpression' ? bare(first).elements : [first];
    for (const pattern of patterns) add(pattern, 'pattern', true);
    const options = bare(second);
    if (options && options.type !== 'ObjectExpression') add(options, 'pattern');
    for (const property of options?.properties ?? []) {
      if (property.type !== 'Property' || property.computed) add(property.key ?? property.argument, 'pattern');
      else if ((property.key.name ?? property.key.value) === 'base') add(property.value, 'path', true);
    }
  }
}

function isMetaUrl(node) {
  const inner = bare(node);
  return inner?.type === 'MemberExpression' && isMeta(inner.object) && nameOf(inner) === 'url';
}

/** `/// <reference …>`, `@jsxImportSource`, and the imports of JSDoc types. */
function commentReferences(value) {
  const found = [];
  const [, attributes] = /^\/\s*<(?:reference|amd-dependency)\s+([^>]*)>/.exec(value) ?? [];
  for (const [, kind, , path] of (attributes ?? '').matchAll(/\b(path|types)\s*=\s*(["'])(.*?)\2/g)) {
    found.push({ specifier: path, how: kind === 'path' ? 'path' : 'module', fromRoot: false, at: 0 });
  }
  for (const match of value.matchAll(/@jsxImportSource\s+(\S+)/g)) found.push({ specifier: match[1], how: 'module', at: match.index });
  for (const match of value.matchAll(/\bimport\s*\(\s*(["'`])(\.\.?\/.*?|\/.*?)\1|@import\b[^"'`]*(["'`])(\.\.?\/.*?|\/.*?)\3/g)) {
    found.push({ specifier: match[2] ?? match[4], how: 'module', at: match.index });
  }
  return found;
}
