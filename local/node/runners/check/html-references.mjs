/**
 * The references of a page or a drawing, by a tokenizer as HTML describes it: attributes however they are
 * quoted or separated, character references decoded, inline scripts and styles with the lines they stand on.
 */
import { lineFinder } from './ast.mjs';
import { cssReferences } from './css-references.mjs';

const ADDRESSES = new Set(['src', 'href', 'xlink:href', 'poster', 'data', 'action', 'formaction', 'background', 'cite', 'manifest', 'ping', 'longdesc', 'classid', 'codebase', 'archive', 'profile', 'icon']);
const SETS = new Set(['srcset', 'imagesrcset']);
const RAW = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed', 'noframes']);
const NAMED = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", period: '.', sol: '/', bsol: '\\', colon: ':', percnt: '%', num: '#', quest: '?', lowbar: '_', Tab: '\t', NewLine: '\n' };
const SCRIPT = /^(?:|module|(?:text|application)\/(?:x-)?(?:java|ecma)script|text\/babel)$/i;

/** `readCode(text, firstLine)` answers the references of an inline script. */
export function htmlReferences(text, readCode) {
  const lineAt = lineFinder(text);
  const references = [];
  for (const tag of tagsOf(text, true)) {
    references.push(...attributeReferences(tag, lineAt, readCode));
    const type = valueOf(tag, 'type')?.trim() ?? '';
    const hasSource = ['src', 'href', 'xlink:href'].some((key) => valueOf(tag, key) !== undefined);
    if (tag.name === 'style') references.push(...cssReferences(tag.body, lineAt(tag.bodyAt)));
    if (tag.name === 'script' && type.toLowerCase() === 'importmap') for (const specifier of stringsOf(tag.body)) references.push({ specifier, how: 'path', fromRoot: true, line: lineAt(tag.bodyAt) });
    else if (tag.name === 'script' && !hasSource && SCRIPT.test(type)) references.push(...readCode(tag.body, lineAt(tag.bodyAt)));
  }
  // Once more without comments and raw text: in a drawing within a page, and in broken pages, they are neither.
  for (const tag of tagsOf(text, false)) {
    references.push(...attributeReferences(tag, lineAt, readCode));
    if (tag.name === 'style') references.push(...cssReferences(text.slice(tag.bodyAt).split(/<\/style/i, 1)[0], lineAt(tag.bodyAt)));
  }
  return references;
}

function attributeReferences({ name, attributes }, lineAt, readCode) {
  return attributes.flatMap(({ key, value, at }) => {
    const line = lineAt(at);
    const address = (specifier, how = 'path') => ({ specifier: specifier.trim(), how, fromRoot: true, line });
    if (ADDRESSES.has(key)) return [address(value, name === 'script' ? 'script' : 'path')];
    if (SETS.has(key)) return candidates(value).map((part) => address(part));
    if (key === 'style') return cssReferences(value, line);
    if (key === 'content' && name === 'meta' && /^\s*[./\\]/.test(value)) return [address(value)];
    if (key === 'srcdoc') return htmlReferences(value, (code) => readCode(code, line)).map((found) => ({ ...found, line }));
    return [];
  });
}

const valueOf = ({ attributes }, wanted) => attributes.find(({ key }) => key === wanted)?.value;

/** A `data:` address holds commas of its own: what has none of a set's syntax is one address. */
function candidates(value) {
  return /^\s*data:/i.test(value) ? [value] : value.split(',').map((part) => part.trim().split(/\s+/)[0]).filter(Boolean);
}

function stringsOf(json) {
  const found = [];
  try {
    JSON.parse(json, (key, value) => {
      // The keys of `scopes` are addresses too.
      if (/^[./]/.test(key)) found.push(key);
      if (typeof value === 'string') found.push(value);
      return value;
    });
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return found;
}

/** `isStrict`: comments and the text of raw elements hold no tags. */
function* tagsOf(text, isStrict) {
  let at = 0;
  while ((at = text.indexOf('<', at)) !== -1) {
    if (isStrict && text.startsWith('<!--', at)) {
      const end = /-->|--!>/g;
      end.lastIndex = at + 4;
      at = text.startsWith('<!-->', at) ? at + 5 : text.startsWith('<!--->', at) ? at + 6 : end.exec(text) ? end.lastIndex : text.length;
      continue;
    }
    const [open, name] = /^<([a-z][^\s/>]*)/i.exec(text.slice(at, at + 100)) ?? [];
    if (open === undefined) {
      at++;
      continue;
    }
    const tag = { name: name.toLowerCase(), attributes: [], body: '', bodyAt: 0 };
    const from = at + open.length;
    tag.bodyAt = readAttributes(text, from, tag.attributes);
    // Loosely, what looks like an attribute may hold the next tag.
    at = isStrict ? tag.bodyAt : from;
    if (isStrict && RAW.has(tag.name)) {
      const close = new RegExp(`</${tag.name.replace(/[^a-z]/g, '')}(?=[\\s/>])`, 'gi');
      close.lastIndex = at;
      const end = close.exec(text)?.index ?? text.length;
      tag.body = text.slice(at, end);
      at = end;
    }
    yield tag;
  }
}

/** From behind a tag's name; answers where the tag ends. */
function readAttributes(text, from, attributes) {
  let at = from;
  const skip = (pattern) => { while (at < text.length && pattern.test(text[at])) at++; };
  for (;;) {
    skip(/[\s/]/);
    if (at >= text.length) return at;
    if (text[at] === '>') return at + 1;
    const start = at;
    at++;
    skip(/[^\s/>=]/);
    const key = text.slice(start, at).toLowerCase();
    skip(/\s/);
    let value = '';
    if (text[at] === '=') {
      at++;
      skip(/\s/);
      const quote = text[at] === '"' || text[at] === "'" ? text[at] : undefined;
      const begin = quote ? ++at : at;
      if (quote) while (at < text.length && text[at] !== quote) at++;
      else skip(/[^\s>]/);
      value = decode(text.slice(begin, at));
      if (quote) at++;
    }
    attributes.push({ key, value, at: start });
  }
}

function decode(value) {
  return value.replace(/&(?:#x([0-9a-f]+)|#(\d+)|([a-z]+));?/gi, (whole, hex, decimal, name) => {
    if (name !== undefined) return NAMED[name] ?? whole;
    const code = parseInt(hex ?? decimal, hex === undefined ? 10 : 16);
    return code > 0x10ffff ? '\ufffd' : String.fromCodePoint(code);
  });
}
