/**
 * Every `url()` and every string of a style sheet, by the tokens of CSS Syntax: escapes decoded, comments
 * skipped, unknown rules included, since `@value`, `composes … from` and what comes next are references too.
 */
import { lineFinder } from './ast.mjs';

const NAME = /[-\w\u0080-\uffff]/;

export function cssReferences(text, firstLine = 1) {
  const lineAt = lineFinder(text, firstLine);
  const references = [];
  let rule = '';
  let at = 0;
  const add = (specifier, start, kind) => references.push({ specifier, how: rule === 'import' ? 'style' : 'path', fromRoot: true, line: lineAt(start), isText: kind === 'string' && rule !== 'import' });

  while (at < text.length) {
    const start = at;
    const char = text[at];
    if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at + 2);
      at = end === -1 ? text.length : end + 2;
    } else if (char === '"' || char === "'") {
      add(readString(char), start, 'string');
    } else if (char === '@') {
      at++;
      rule = readName().toLowerCase();
    } else if (char === ';' || char === '{' || char === '}') {
      rule = '';
      at++;
    } else if (char === '\\' || NAME.test(char)) {
      const name = readName().toLowerCase();
      if (name === 'url' && text[at] === '(') {
        at++;
        while (/\s/.test(text[at] ?? '')) at++;
        if (text[at] === '"' || text[at] === "'") add(readString(text[at]), start, 'url');
        else add(readBareUrl(), start, 'url');
      }
    } else at++;
  }
  return references;

  function readEscape() {
    at++;
    const [hex] = /^[0-9a-f]{1,6}/i.exec(text.slice(at, at + 6)) ?? [];
    if (hex === undefined) {
      const char = text[at] ?? '';
      at++;
      return char === '\n' ? '' : char;
    }
    at += hex.length;
    if (/\s/.test(text[at] ?? '')) at += text.startsWith('\r\n', at) ? 2 : 1;
    const code = parseInt(hex, 16);
    return code === 0 || code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
  }

  function readString(quote) {
    let value = '';
    at++;
    while (at < text.length && text[at] !== quote && text[at] !== '\n') {
      if (text[at] === '\\') value += readEscape();
      else value += text[at++];
    }
    at++;
    return value;
  }

  function readName() {
    let value = '';
    while (at < text.length && (text[at] === '\\' || NAME.test(text[at]))) {
      if (text[at] === '\\') value += readEscape();
      else value += text[at++];
    }
    return value;
  }

  function readBareUrl() {
    let value = '';
    while (at < text.length && text[at] !== ')') {
      if (text[at] === '\\') value += readEscape();
      else value += text[at++];
    }
    at++;
    return value.trim();
  }
}
