/** Small readings of the parser's trees, shared by everything that looks for references in code. */

export function walk(node, visit) {
  const open = [node];
  while (open.length > 0) {
    const next = open.pop();
    if (typeof next.type === 'string') visit(next);
    for (const key of Object.keys(next)) {
      const value = next[key];
      if (value && typeof value === 'object') open.push(value);
    }
  }
}

/** Without parentheses, what comes before a comma, and what TypeScript puts around an expression. */
export function bare(node) {
  let inner = node;
  if (inner?.type === 'SequenceExpression') return bare(inner.expressions.at(-1));
  while (inner && /^(?:ParenthesizedExpression|ChainExpression|AwaitExpression|TS(?:As|Satisfies|NonNull|TypeAssertion|Instantiation)(?:Expression)?)$/.test(inner.type)) {
    inner = inner.expression ?? inner.argument;
    if (inner?.type === 'SequenceExpression') inner = inner.expressions.at(-1);
  }
  return inner;
}

export function literal(node) {
  const inner = bare(node);
  if (inner?.type === 'Literal' && typeof inner.value === 'string') return inner.value;
  if (inner?.type === 'TSLiteralType') return literal(inner.literal);
  if (inner?.type === 'TemplateLiteral' && inner.expressions.length === 0) return inner.quasis[0].value.cooked;
  return undefined;
}

/** `x` of `x` and `a.x`, also in quotes. */
export function nameOf(callee) {
  const inner = bare(callee);
  if (inner?.type === 'Identifier') return inner.name;
  if (inner?.type !== 'MemberExpression') return undefined;
  return inner.computed ? literal(inner.property) : inner.property.name;
}

export function objectOf(callee) {
  const inner = bare(callee);
  return inner?.type === 'MemberExpression' ? bare(inner.object) : undefined;
}

/** `import.meta` */
export function isMeta(node) {
  const inner = bare(node);
  return inner?.type === 'MetaProperty' && inner.meta.name === 'import';
}

export function lineFinder(text, first = 1) {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low + first;
  };
}
