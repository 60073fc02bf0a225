/**
 * Edits of a file that people may have worked on: whole lines put beside, or in place of, an anchor
 * that must stand there exactly once. What is there already stays, so that a repeat changes nothing
 * (I9); an anchor that somebody changed is a problem to name, never a place to guess.
 */
import { AdorableError } from '../../shared/errors.ts';

type Where = 'after' | 'before' | 'replace' | 'end';

export interface Edit {
  readonly where: Where;
  /** Lines of the file as its blueprint, or an earlier change, wrote them; empty for its end. */
  readonly anchor: readonly string[];
  readonly lines: readonly string[];
}

/**
 * `@@ after`, `@@ before`, `@@ replace` with the anchor's lines, or `@@ end`; then `@@ insert` with what is put
 * there. Text before the first mark says why.
 */
export function parseEdits(text: string, where: string): readonly Edit[] {
  const edits: Edit[] = [];
  let mark: Where | undefined;
  let anchor: string[] = [];
  let lines: string[] | undefined;
  const close = (): void => {
    if (mark === undefined) return;
    if (lines === undefined || lines.length === 0 || (anchor.length === 0) !== (mark === 'end')) throw new AdorableError('InvariantViolated', `${where}: an edit is incomplete.`);
    edits.push({ where: mark, anchor, lines });
  };
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const command = /^@@ (after|before|replace|end|insert)$/.exec(line)?.[1];
    if (command === 'insert') {
      if (mark === undefined || lines !== undefined) throw new AdorableError('InvariantViolated', `${where}: @@ insert stands alone.`);
      lines = [];
    } else if (command !== undefined) {
      close();
      [mark, anchor, lines] = [command as Where, [], undefined];
    } else if (lines !== undefined) lines.push(line);
    else if (mark !== undefined) anchor.push(line);
  }
  close();
  return edits;
}

export interface Edited {
  readonly text: string;
  /** One for each anchor that is not there once. */
  readonly problems: readonly string[];
}

export function applyEdits(source: string, edits: readonly Edit[]): Edited {
  const ended = source.endsWith('\n') || source === '';
  let lines = source.replace(/\n$/, '').split('\n');
  const problems: string[] = [];
  for (const edit of edits) {
    if (placesOf(lines, edit.lines).length > 0) continue;
    const [at, ...others] = edit.where === 'end' ? [lines.length] : placesOf(lines, edit.anchor);
    if (at === undefined) problems.push(`this is not there any more: ${shown(edit.anchor)}`);
    else if (others.length > 0) problems.push(`this is there ${String(others.length + 1)} times, not once (lines ${[at, ...others].map((line) => line + 1).join(', ')}): ${shown(edit.anchor)}`);
    else lines = place(lines, edit, at);
  }
  return { text: `${lines.join('\n')}${ended ? '\n' : ''}`, problems };
}

function place(lines: readonly string[], { where, anchor, lines: added }: Edit, at: number): string[] {
  const end = at + anchor.length;
  const from = where === 'after' ? end : at;
  const to = where === 'replace' ? end : from;
  return [...lines.slice(0, from), ...added, ...lines.slice(to)];
}

function placesOf(lines: readonly string[], wanted: readonly string[]): readonly number[] {
  const places: number[] = [];
  for (let at = 0; at + wanted.length <= lines.length; at++) {
    if (wanted.every((line, index) => lines[at + index]?.trimEnd() === line.trimEnd())) places.push(at);
  }
  return places;
}

function shown(anchor: readonly string[]): string {
  const text = anchor.map((line) => line.trim()).join(' ⏎ ');
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 119)}…` : text);
}
