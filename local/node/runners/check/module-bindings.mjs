/** Which names in a program stand for a built-in module, a part of it, or one of its functions, however they were taken from it. */
import { isBuiltin } from 'node:module';
import { bare, literal, nameOf, walk } from './ast.mjs';

const plainName = (specifier) => specifier.replace(/^node:/, '');

/** `parts` are the members that are such modules themselves (`fs.promises`, `path.posix`). */
export function createBindings(program, { modules, parts }) {
  const spaces = new Set();
  /** Local name → name in the module. */
  const functions = new Map();
  const members = new Set([...parts, 'default']);
  const isModule = (node) => {
    const specifier = literal(node) ?? '';
    return isBuiltin(specifier) && modules.has(plainName(specifier));
  };
  const take = (name, local) => void (members.has(name) ? spaces.add(local) : functions.set(local, name));

  const isSpace = (node) => {
    const inner = bare(node);
    if (inner?.type === 'ImportExpression') return isModule(inner.source);
    if (inner?.type === 'CallExpression') return nameOf(inner.callee) === 'require' && isModule(inner.arguments[0]);
    if (inner?.type === 'MemberExpression') return members.has(nameOf(inner)) && isSpace(inner.object);
    return inner?.type === 'Identifier' && spaces.has(inner.name);
  };
  /** The function's name in its module, or undefined for a function of something else. */
  const functionOf = (callee) => {
    const inner = bare(callee);
    if (inner?.type === 'Identifier') return functions.get(inner.name);
    return inner?.type === 'MemberExpression' && isSpace(inner.object) ? nameOf(inner) : undefined;
  };
  const destructure = (pattern) => {
    for (const { key, value } of pattern.properties ?? []) {
      const local = value?.left ?? value;
      const name = key?.name ?? key?.value;
      if (local?.type === 'Identifier') take(name, local.name);
      else if (local?.type === 'ObjectPattern' && members.has(name)) destructure(local);
    }
  };

  walk(program, (node) => {
    if (node.type !== 'ImportDeclaration' || !isModule(node.source)) return;
    for (const { type, local, imported } of node.specifiers) take(type === 'ImportSpecifier' ? (imported.name ?? imported.value) : 'default', local.name);
  });
  // Twice, since a name may be taken from one that is declared further down.
  for (let round = 0; round < 2; round++) {
    walk(program, (node) => {
      if (node.type !== 'VariableDeclarator' || !node.init) return;
      const { id, init } = node;
      if (isSpace(init)) id.type === 'Identifier' ? spaces.add(id.name) : destructure(id);
      else if (id.type === 'Identifier' && functionOf(init) !== undefined) functions.set(id.name, functionOf(init));
    });
  }
  return { functionOf };
}
