/** Tables, figures and the parts of a document that a benchmark writes: pure text. */
import type { Summary } from './statistics.ts';

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[]): string => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [cells(header), `|${header.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`, ...rows.map(cells)].join('\n');
}

export function seconds(ms: number | undefined): string {
  if (ms === undefined) return '–';
  return ms < 99.5 ? `${String(Math.round(ms))} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** The median, with its range where there is one. */
export function figure(summary: Summary | undefined): string {
  if (summary === undefined) return '–';
  return summary.count === 1 ? seconds(summary.median) : `${seconds(summary.median)} (${seconds(summary.min)} to ${seconds(summary.max)})`;
}

export function ratio(value: number | undefined, wanted: number): string {
  if (value === undefined) return '–';
  return `${value.toFixed(2)} (wanted ≤ ${wanted.toFixed(1)}: ${value <= wanted ? 'held' : 'missed'})`;
}

export function bytes(count: number): string {
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const) {
    if (count >= size) return `${Number((count / size).toPrecision(3)).toString()} ${unit}`;
  }
  return `${String(count)} B`;
}

/** Replaces what stands between a section's two markers; a document without them is refused. */
export function replaceSection(document: string, name: string, body: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from < 0 || to < from) throw new Error(`The document has no section ${name}: it needs ${begin} and ${end}.`);
  return `${document.slice(0, from + begin.length)}\n${body.trim()}\n${document.slice(to)}`;
}
