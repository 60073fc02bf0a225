/**
 * Every reference of one file to another, with its line: imports of all kinds and assets in code (by the
 * bundler's parser), `@import` and `url()` in CSS (by Lightning CSS), addresses in HTML.
 * `how` says how it is resolved: `module` by the bundler, `path` relative to the file, `pattern` a glob.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export function codeReferences(file, text, vite, firstLine = 1) {
  const { program, errors, comments } = vite.parseSync(file, text);
  // A file that does not parse is the build's to report, with its own message.
  if (errors.length > 0) return [];
  const lineAt = lineFinder(text, firstLine);
  const references = [];
  const add = (node, how, fromRoot) => {
    const specifier = literal(node);
    if (specifier !== undefined) references.push({ specifier, how, fromRoot, line: lineAt(node.start) });
    else if (node) addComputed(node, how);
  };
  const addComputed = (node, how) => {
    const prefix = node.type === 'TemplateLiteral' ? node.quasis[0]?.value.cooked : undefined;
    const line = lineAt(node.start);
    if (prefix && /^\.{0,2}\/.*/.test(prefix)) references.push({ specifier: prefix, how: 'path', line });
    else if (how === 'module') references.push({ specifier: '', how: 'computed', line });
  };

  for (const { value, start } of comments ?? []) {
    const [, kind, path] = /^\/\s*<reference\s+(path|types)\s*=\s*["']([^"']+)["']/.exec(value) ?? [];
    if (path) references.push({ specifier: path, how: kind === 'path' ? 'path' : 'module', fromRoot: false, line: lineAt(start) });
  }
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
      case 'CallExpression':
        if (isRequire(node.callee)) add(node.arguments[0], 'module');
        if (isGlob(node.callee)) for (const pattern of list(node.arguments[0])) add(pattern, 'pattern', true);
        break;
      case 'NewExpression':
        if (node.callee.name === 'URL' && isMetaUrl(node.arguments[1])) add(node.arguments[0], 'path', true);
        break;
    }
  });
  return references;
}

export async function cssReferences(file, text, deps) {
  const { default: lightningcss } = await import(pathToFileURL(join(deps, 'lightningcss/node/index.js')).href);
  const { dependencies } = lightningcss.transform({ filename: file, code: Buffer.from(text), analyzeDependencies: true, errorRecovery: true });
  return (dependencies ?? []).map((dependency) => ({
    specifier: dependency.url,
    how: /^[./]/.test(dependency.url) || dependency.type === 'url' ? 'path' : 'module',
    fromRoot: true,
    line: dependency.loc?.start.line ?? 1,
  }));
}

const ATTRIBUTE = /\s(?:src|href|poster|data|action|xlink:href|imagesrcset|srcset)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/gi;

export function htmlReferences(file, text, vite) {
  const lineAt = lineFinder(text);
  const references = [];
  for (const match of text.matchAll(ATTRIBUTE)) {
    const value = match[1] ?? match[2] ?? match[3] ?? '';
    const isSet = /srcset/i.test(match[0].slice(0, 14));
    // A data: address holds commas of its own.
    const addresses = isSet && !value.startsWith('data:') ? value.split(',').map((part) => part.trim().split(/\s+/)[0]) : [value.trim()];
    for (const specifier of addresses) {
      if (specifier) references.push({ specifier, how: 'path', fromRoot: true, line: lineAt(match.index) });
    }
  }
  for (const match of text.matchAll(/<script(?![^>]*\ssrc\s*=)[^>]*>([\s\S]*?)<\/script/gi)) {
    references.push(...codeReferences(`${file}.ts`, match[1], vite, lineAt(match.index)));
  }
  return references;
}

function walk(node, visit) {
  if (Array.isArray(node)) {
    for (const each of node) walk(each, visit);
  } else if (node && typeof node === 'object') {
    if (typeof node.type === 'string') visit(node);
    for (const key of Object.keys(node)) {
      if (node[key] && typeof node[key] === 'object') walk(node[key], visit);
    }
  }
}

function literal(node) {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TSLiteralType') return literal(node.literal);
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0].value.cooked;
  return undefined;
}

function list(node) {
  return node?.type === 'ArrayExpression' ? node.elements : node ? [node] : [];
}

function isRequire(callee) {
  return callee.name === 'require' || (callee.type === 'MemberExpression' && callee.object.name === 'require' && callee.property.name === 'resolve');
}

function isMeta(node) {
  return node?.type === 'MetaProperty' && node.meta.name === 'import';
}

function isGlob(callee) {
  return callee.type === 'MemberExpression' && isMeta(callee.object) && /^glob/.test(callee.property.name ?? '');
}

function isMetaUrl(node) {
  return node?.type === 'MemberExpression' && isMeta(node.object) && node.property.name === 'url';
}

function lineFinder(text, first = 1) {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let line = 0;
    while (line + 1 < starts.length && starts[line + 1] <= offset) line++;
    return line + first;
  };
}
