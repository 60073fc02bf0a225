import { Fragment, type ReactNode } from 'react';

/**
 * A small, safe subset of Markdown: paragraphs, headings, lists, quotes, code blocks, emphasis, code and links.
 * Everything becomes React text or one of these elements, so that a post can never run a script.
 */
export function Prose({ text }: { text: string }) {
  return (
    <div className="prose">
      {toBlocks(text).map((block, index) => (
        <Fragment key={index}>{renderBlock(block)}</Fragment>
      ))}
    </div>
  );
}

/** The first sentences without markup, for a list. */
export function excerpt(text: string, length = 180): string {
  const plain = toPlain(text)
    .replace(/^#{1,3} .*$|^```.*$/gm, '')
    .replace(/^(?:>|[-*]|\d+[.)]) +/gm, '')
    .replace(/\[([^\]\n]+)\]\([^)\s]*\)/g, '$1')
    .replace(/[*_`]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (plain.length <= length) return plain;
  return `${plain.slice(0, plain.lastIndexOf(' ', length)).replace(/[\s,;:.-]+$/, '')}…`;
}

export function minutesToRead(text: string): number {
  return Math.max(1, Math.round(text.split(/\s+/).length / 220));
}

type Block =
  | { kind: 'paragraph' | 'quote' | 'code'; text: string }
  | { kind: 'heading'; level: number; text: string }
  | { kind: 'list'; isOrdered: boolean; items: string[] };

/** Editors that store HTML get their tags taken off: what remains is text. */
function toPlain(text: string): string {
  if (!/<(p|br|h\d|ul|ol|li|div|strong|em|a|blockquote)\b[^>]*>/i.test(text)) return text;
  const spaced = text.replace(/<br\s*\/?>/gi, '\n').replace(/<li[^>]*>/gi, '\n- ').replace(/<h[1-6][^>]*>/gi, '\n\n## ').replace(/<\/(p|h\d|div|blockquote|ul|ol)>/gi, '\n\n');
  return new DOMParser().parseFromString(spaced, 'text/html').body.textContent ?? '';
}

function toBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  const parts = toPlain(text).replace(/\r\n?/g, '\n').split(/^```.*$/m);
  parts.forEach((part, index) => {
    // Odd parts stand between two fences.
    if (index % 2 === 1) blocks.push({ kind: 'code', text: part.replace(/^\n|\n$/g, '') });
    else blocks.push(...part.split(/\n{2,}/).filter((chunk) => chunk.trim()).flatMap(toBlock));
  });
  return blocks;
}

function toBlock(chunk: string): Block[] {
  const lines = chunk.trim().split('\n');
  const heading = /^(#{1,3}) +(.+)$/.exec(lines[0] ?? '');
  if (heading) {
    const rest = lines.slice(1).join('\n');
    const level = (heading[1] ?? '#').length + 1;
    return [{ kind: 'heading', level, text: heading[2] ?? '' }, ...(rest.trim() ? toBlock(rest) : [])];
  }
  if (lines.every((line) => /^> ?/.test(line))) return [{ kind: 'quote', text: lines.map((line) => line.replace(/^> ?/, '')).join(' ') }];
  for (const [isOrdered, mark] of [[false, /^[-*] +/], [true, /^\d+[.)] +/]] as const) {
    if (lines.every((line) => mark.test(line))) return [{ kind: 'list', isOrdered, items: lines.map((line) => line.replace(mark, '')) }];
  }
  return [{ kind: 'paragraph', text: lines.join('\n') }];
}

function renderBlock(block: Block): ReactNode {
  switch (block.kind) {
    case 'code':
      return <pre tabIndex={0}><code>{block.text}</code></pre>;
    case 'quote':
      return <blockquote><p>{renderInline(block.text)}</p></blockquote>;
    case 'heading':
      return block.level === 2 ? <h2>{renderInline(block.text)}</h2> : <h3>{renderInline(block.text)}</h3>;
    case 'list': {
      const items = block.items.map((item, index) => <li key={index}>{renderInline(item)}</li>);
      return block.isOrdered ? <ol>{items}</ol> : <ul>{items}</ul>;
    }
    case 'paragraph':
      return <p>{renderInline(block.text)}</p>;
  }
}

const INLINE = /(`[^`\n]+`|\*\*[^*\n]+\*\*|\*[^*\n]+\*|\[[^\]\n]+\]\([^)\s]+\))/;

function renderInline(text: string): ReactNode[] {
  return text.split(INLINE).map((piece, index) => {
    if (index % 2 === 0) return piece;
    if (piece.startsWith('`')) return <code key={index}>{piece.slice(1, -1)}</code>;
    if (piece.startsWith('**')) return <strong key={index}>{piece.slice(2, -2)}</strong>;
    if (piece.startsWith('*')) return <em key={index}>{piece.slice(1, -1)}</em>;
    const [, label = '', href = ''] = /^\[(.+)\]\((.+)\)$/.exec(piece) ?? [];
    // Anything but the web and mail (javascript:, data:) stays text.
    if (!/^(https?:\/\/|mailto:|\/(?!\/))/i.test(href)) return label;
    return <a key={index} href={href} rel="noopener noreferrer">{label}</a>;
  });
}
