/**
 * What server code could reach beside imports, as far as a reader of the text can tell: paths handed to
 * `node:fs`, paths joined or resolved from the file's own place, built-ins that run or load other code,
 * and code made from text. The rest is contained while it runs, not here.
 */
import { isBuiltin } from 'node:module';
import { literal, nameOf, objectOf, walk } from './ast.mjs';
import { createBindings } from './module-bindings.mjs';
import { createPathReader } from './read-path.mjs';

/** They start programs, load code by name, or open files behind `node:fs`. */
const REFUSED = new Set(['child_process', 'cluster', 'worker_threads', 'vm', 'module', 'repl', 'inspector', 'inspector/promises', 'wasi', 'sea', 'sqlite', 'test', 'v8']);
const REFUSED_OF_PROCESS = new Set(['binding', '_linkedBinding', 'dlopen', 'getBuiltinModule', 'chdir', 'loadEnvFile']);
const GLOBALS = new Set([undefined, 'globalThis', 'window', 'self', 'global']);

export function serverReferences({ program, file, dir }) {
  const found = [];
  const { readPath, isPathCall } = createPathReader({ program, file, dir });
  const fs = createBindings(program, { modules: new Set(['fs', 'fs/promises']), parts: ['promises'] });
  const refuse = (node, reason) => found.push({ node, specifier: '', how: 'refused', reason });

  walk(program, (node) => {
    const source = node.source && literal(node.source);
    const isType = node.importKind === 'type' || node.exportKind === 'type' || node.type === 'TSImportType';
    if (source !== undefined && !isType && isBuiltin(source) && REFUSED.has(source.replace(/^node:/, ''))) {
      refuse(node, `the module ${JSON.stringify(source)} of Node is not for apps`);
    }
    if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return;
    const name = nameOf(node.callee);
    const owner = objectOf(node.callee);
    const isGlobal = owner === undefined || (GLOBALS.has(nameOf(owner)) && owner.type === 'Identifier');
    // `x.constructor(…)` makes a function from text where x is one.
    if (isGlobal && (name === 'eval' || name === 'Function') || (name === 'constructor' && node.type === 'CallExpression')) {
      refuse(node, 'code made from text cannot be checked, so it is not allowed');
    }
    if (REFUSED_OF_PROCESS.has(name) && nameOf(owner) === 'process') refuse(node, `process.${name} is not for apps`);
    if (fs.functionOf(node.callee) !== undefined) {
      for (const argument of node.arguments.slice(0, 2)) {
        const path = readPath(argument);
        if (path !== undefined) found.push({ node: argument, specifier: path, how: 'file' });
      }
    } else if (isPathCall(node) || name === 'URL' || name === 'fileURLToPath') {
      const path = readPath(node);
      // A web address is no file, and what is relative is judged where it is opened.
      if (path !== undefined && /^(?:\/|file:)/.test(path)) found.push({ node, specifier: path, how: 'file' });
    }
  });
  return found;
}
