/**
 * The path that an expression amounts to, where its text says so: literals, their concatenation, constants,
 * `import.meta` and the functions of `node:path` and `node:url`. Undefined where it depends on the run;
 * of a text with an unknown end, the part before it.
 */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bare, isMeta, literal, nameOf, objectOf, walk } from './ast.mjs';
import { createBindings } from './module-bindings.mjs';

const MAX_DEPTH = 20;
/** Stands for what is not known; ends what is known of a path. */
const UNKNOWN = '\uffff';

export function createPathReader({ program, file, dir }) {
  const constants = constantsOf(program);
  const paths = createBindings(program, { modules: new Set(['path', 'path/posix', 'path/win32']), parts: ['posix', 'win32'] });
  return {
    isPathCall: (node) => ['join', 'resolve'].includes(paths.functionOf(node.callee)),
    readPath: (node) => {
      const value = read(node, 0);
      if (value === undefined || value.startsWith(UNKNOWN)) return undefined;
      const at = value.indexOf(UNKNOWN);
      return at === -1 ? value : value.slice(0, at);
    },
  };

  function read(node, depth) {
    const inner = bare(node);
    if (!inner || depth > MAX_DEPTH) return undefined;
    const next = (child) => read(child, depth + 1);
    const text = literal(inner);
    if (text !== undefined) return text;
    switch (inner.type) {
      case 'TemplateLiteral':
        return inner.quasis.map(({ value }, at) => value.cooked + (at < inner.expressions.length ? (next(inner.expressions[at]) ?? UNKNOWN) : '')).join('');
      case 'BinaryExpression':
        return inner.operator === '+' ? (next(inner.left) ?? UNKNOWN) + (next(inner.right) ?? UNKNOWN) : undefined;
      case 'Identifier':
        if (inner.name === '__dirname') return dirname(file);
        if (inner.name === '__filename') return file;
        return constants.has(inner.name) ? next(constants.get(inner.name)) : undefined;
      case 'MemberExpression':
        if (isMeta(inner.object)) return { dirname: dirname(file), filename: file, url: pathToFileURL(file).href }[nameOf(inner)];
        return ['href', 'pathname'].includes(nameOf(inner)) ? pathOf(next(inner.object)) : undefined;
      case 'NewExpression':
        return nameOf(inner.callee) === 'URL' ? urlOf(inner.arguments.map(next)) : undefined;
      case 'CallExpression':
        return call(inner, inner.arguments.map(next));
      default:
        return undefined;
    }
  }

  function call({ callee }, values) {
    const [first] = values;
    switch (paths.functionOf(callee)) {
      case 'dirname':
        return first === undefined ? undefined : dirname(first);
      case 'normalize':
        return first;
      case 'join':
        return first === undefined ? undefined : join(...values.map((value) => value ?? UNKNOWN));
      case 'resolve':
        return values.length > 0 && first === undefined ? undefined : resolve(dir, ...values.map((value) => value ?? UNKNOWN));
    }
    if (nameOf(callee) === 'cwd' && nameOf(objectOf(callee)) === 'process') return dir;
    return nameOf(callee) === 'fileURLToPath' ? pathOf(first) : undefined;
  }
}

function urlOf([address, base]) {
  if (address === undefined) return undefined;
  try {
    return new URL(address, base).href;
  } catch (error) {
    if (error.code === 'ERR_INVALID_URL') return undefined;
    throw error;
  }
}

function pathOf(value) {
  if (value === undefined || !/^file:/i.test(value)) return value;
  try {
    return fileURLToPath(value);
  } catch (error) {
    // A host in it, or an encoded slash: Node would refuse it too.
    if (/^ERR_INVALID/.test(error.code ?? '')) return undefined;
    throw error;
  }
}

/** Of a name that is declared more than once, nothing is known. */
function constantsOf(program) {
  const constants = new Map();
  const seen = new Set();
  walk(program, (node) => {
    if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier') return;
    if (seen.has(node.id.name)) constants.delete(node.id.name);
    else if (node.init) constants.set(node.id.name, node.init);
    seen.add(node.id.name);
  });
  return constants;
}
