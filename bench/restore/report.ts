/** The figures as tables and as a plot: pure, from what was measured. */
import { bytes, figure, ratio, seconds, table } from '../markdown.ts';
import type { MachineFacts } from '../machine.ts';
import type { Series } from '../plot.ts';
import { plotSvg } from '../plot.ts';
import { ratioOf, summarize, sumOf } from '../statistics.ts';
import type { Summary } from '../statistics.ts';
import { BARE_DOWNTIME, BARE_PARTS, DUMP_AND_RESTORE, ROWS, WANTED_DOWNTIME, WANTED_WALL } from './rows.ts';
import type { Absent, FilesystemResult, Row, SizeResult } from './rows.ts';

export interface RestoreReport {
  readonly date: string;
  readonly machine: MachineFacts;
  readonly repeat: number;
  readonly pgClient: string | undefined;
  readonly filesystems: readonly FilesystemResult[];
  readonly absent: readonly Absent[];
}

export interface Derived {
  readonly bareParts: number | undefined;
  readonly bareDowntime: number | undefined;
  readonly dumpAndRestore: number | undefined;
  readonly wallRatio: number | undefined;
  readonly downtimeRatio: number | undefined;
}

const of = ({ samples }: SizeResult, row: Row): Summary | undefined => summarize(samples[row]);

export function derive(size: SizeResult): Derived {
  const sum = (rows: readonly Row[]): number | undefined => sumOf(rows.map((row) => of(size, row)));
  const [bareParts, bareDowntime] = [sum(BARE_PARTS), sum(BARE_DOWNTIME)];
  return {
    bareParts, bareDowntime, dumpAndRestore: sum(DUMP_AND_RESTORE),
    wallRatio: ratioOf(of(size, 'undo wall')?.median, bareParts), downtimeRatio: ratioOf(of(size, 'undo downtime')?.median, bareDowntime),
  };
}

/** What is printed: the figures alone. */
export function restoreTables(report: RestoreReport): string {
  const { machine } = report;
  const facts = `${machine.cpu}, ${String(machine.cores)} cores, ${bytes(machine.memoryBytes)} memory, ${machine.kernel}, Node ${machine.node}${machine.root ? ', as root' : ''}; ${report.date}; ${String(report.repeat)} rounds, medians (lowest to highest)${report.pgClient === undefined ? '' : `; ${report.pgClient}`}`;
  const blocks = report.filesystems.map(({ description, sizes }) => `### ${description}\n\n${figuresTable(sizes)}\n\nSteps of the undo, as its own table in the Web UI tells them:\n\n${stepsTable(sizes)}`);
  const absent = report.absent.map(({ what, why }) => `- Not measured: ${what}: ${why}.`).join('\n');
  return [facts, ...blocks, absent].filter((block) => block !== '').join('\n\n');
}

export function meanings(): string {
  return table(['Row', 'Means'], Object.entries(ROWS).map(([row, meaning]) => [row, meaning])).replace('|---|---:|', '|---|---|');
}

function figuresTable(sizes: readonly SizeResult[]): string {
  const derived = sizes.map(derive);
  const line = (row: Row): string[] => [row, ...sizes.map((size) => figure(of(size, row)))];
  const made = (name: string, value: (one: Derived) => string): string[] => [`**${name}**`, ...derived.map((one) => `**${value(one)}**`)];
  const shown = (Object.keys(ROWS) as Row[]).filter((row) => sizes.some((size) => of(size, row) !== undefined));
  return table(['', ...sizes.map(({ label }) => label)], [
    ['database', ...sizes.map((size) => bytes(size.databaseBytes))],
    ['WAL from base to LSN', ...sizes.map((size) => bytes(size.replayedBytes))],
    ...shown.slice(0, 4).map(line),
    ...shown.slice(4).map(line),
    made('bare parts, sum', (one) => seconds(one.bareParts)),
    made('undo wall ÷ bare parts', (one) => ratio(one.wallRatio, WANTED_WALL)),
    made('bare compute stop + start + app start', (one) => seconds(one.bareDowntime)),
    made('undo downtime ÷ these three', (one) => ratio(one.downtimeRatio, WANTED_DOWNTIME)),
    made('pg_dump + pg_restore', (one) => seconds(one.dumpAndRestore)),
  ]);
}

function stepsTable(sizes: readonly SizeResult[]): string {
  const names = [...new Set(sizes.flatMap((size) => size.steps.map((step) => step.name)))];
  return table(['step', ...sizes.map(({ label }) => label)], names.map((name) => [name, ...sizes.map((size) => figure(summarize(size.steps.find((step) => step.name === name)?.ms)))]));
}

const LINES = [
  { rows: ['undo wall'], name: 'undo', colour: '#1f6feb' },
  { rows: ['undo downtime'], name: 'downtime', colour: '#c96442' },
  { rows: DUMP_AND_RESTORE, name: 'pg_dump + pg_restore', colour: '#6e7781' },
] as const;

export function restorePlot({ filesystems }: Pick<RestoreReport, 'filesystems'>): string {
  const series = filesystems.flatMap(({ kind, sizes }) => LINES.map(({ rows, name, colour }): Series => ({
    name: `${name}, ${kind}`, colour, dashed: kind === 'reflink',
    points: sizes.flatMap((size) => {
      const parts = rows.map((row) => of(size, row));
      const total = (read: (summary: Summary) => number): number => parts.reduce((sum, part) => sum + (part === undefined ? 0 : read(part)), 0) / 1000;
      return parts.includes(undefined) ? [] : [{ x: size.databaseBytes, y: total((s) => s.median), low: total((s) => s.min), high: total((s) => s.max) }];
    }),
  }))).filter(({ points }) => points.length > 0);
  const ticks = filesystems[0]?.sizes.map(({ databaseBytes, label }) => ({ x: databaseBytes, label })) ?? [];
  return plotSvg({ title: 'Undo by size of the database', yLabel: 'seconds', ticks, series });
}
