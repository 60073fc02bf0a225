/**
 * What server code could reach beside imports, as far as a reader of the text can tell: paths handed to
 * `node:fs`, paths joined or resolved from the file's own place, built-ins that run or load other code,
 * and code made from text. The rest is contained while it runs, not here.
 */
import { isBuiltin } from 'node:module';
import { bare, isMeta, literal, nameOf, objectOf, walk } from './ast.mjs';
import { createPathReader } from './read-path.mjs';

const FS = new Set(['fs', 'fs/promises']);
/** They start programs, load code by name, or open files behind `node:fs`. */
const REFUSED = new Set(['child_process', 'cluster', 'worker_threads', 'vm', 'module', 'repl', 'inspector', 'inspector/promises', 'wasi', 'sea', 'sqlite', 'test', 'v8']);
const REFUSED_OF_PROCESS = new Set(['binding', '_linkedBinding', 'dlopen', 'getBuiltinModule', 'chdir', 'loadEnvFile']);
const plainName = (specifier) => specifier.replace(/^node:/, '');

export function serverReferences({ program, file, dir }) {
  const found = [];
  const readPath = createPathReader({ program, file, dir });
  const bindings = bindingsOf(program);
  const refuse = (node, reason) => found.push({ node, specifier: '', how: 'refused', reason });

  walk(program, (node) => {
    const source = node.source && literal(node.source);
    if (source !== undefined && node.importKind !== 'type' && node.exportKind !== 'type' && isBuiltin(source) && REFUSED.has(plainName(source))) {
      refuse(node, `the module ${JSON.stringify(source)} of Node is not for apps`);
    }
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return;
    const name = nameOf(node.callee);
    const object = objectOf(node.callee);
    if ((name === 'eval' && !object) || name === 'Function' && (!object || nameOf(object) === 'globalThis')) refuse(node, 'code made from text cannot be checked, so it is not allowed');
    if (REFUSED_OF_PROCESS.has(name) && nameOf(object) === 'process') refuse(node, `process.${name} is not for apps`);
    if (isFsCall(node.callee, bindings)) {
      for (const argument of node.arguments.slice(0, 2)) {
        const path = readPath(argument);
        if (path !== undefined) found.push({ node: argument, specifier: path, how: 'file' });
      }
    } else if (name === 'join' || name === 'resolve' || name === 'URL' || name === 'fileURLToPath') {
      const path = readPath(node);
      // A web address is no file, and what is relative is judged where it is opened.
      if (path !== undefined && /^(?:\/|file:)/.test(path)) found.push({ node, specifier: path, how: 'file' });
    }
  });
  return found;
}

/** Local names of `node:fs` as a whole, and of its functions. */
function bindingsOf(program) {
  const spaces = new Set();
  const functions = new Set();
  const destructure = (pattern) => {
    for (const property of pattern.properties ?? []) {
      const local = property.value?.name ?? property.value?.left?.name;
      if (local) (property.key?.name === 'promises' ? spaces : functions).add(local);
    }
  };
  const isSpace = (node) => {
    const inner = bare(node);
    if (inner?.type === 'ImportExpression') return FS.has(plainName(literal(inner.source) ?? ''));
    if (inner?.type === 'CallExpression') return nameOf(inner.callee) === 'require' && FS.has(plainName(literal(inner.arguments[0]) ?? ''));
    if (inner?.type === 'MemberExpression') return ['promises', 'default'].includes(nameOf(inner)) && isSpace(inner.object);
    return inner?.type === 'Identifier' && spaces.has(inner.name);
  };
  walk(program, (node) => {
    if (node.type !== 'ImportDeclaration' || !FS.has(plainName(literal(node.source) ?? ''))) return;
    for (const { type, local, imported } of node.specifiers) {
      const isWhole = type !== 'ImportSpecifier' || ['default', 'promises'].includes(imported.name ?? imported.value);
      (isWhole ? spaces : functions).add(local.name);
    }
  });
  // Twice, since a name may be taken from one that is declared further down.
  for (let round = 0; round < 2; round++) {
    walk(program, (node) => {
      if (node.type !== 'VariableDeclarator' || !node.init) return;
      if (isSpace(node.init)) node.id.type === 'Identifier' ? spaces.add(node.id.name) : destructure(node.id);
      else if (node.id.type === 'Identifier' && isFunction(node.init)) functions.add(node.id.name);
    });
  }
  function isFunction(node) {
    const inner = bare(node);
    return inner?.type === 'Identifier' ? functions.has(inner.name) : inner?.type === 'MemberExpression' && isSpace(inner.object);
  }
  return { isSpace, isFunction };
}

function isFsCall(callee, { isSpace, isFunction }) {
  const inner = bare(callee);
  if (inner?.type === 'Identifier') return isFunction(inner);
  return inner?.type === 'MemberExpression' && !isMeta(inner.object) && isSpace(inner.object);
}
