/** What the fault harness prints and writes: a table boundary × fault → outcome per shape, the findings, the totals. */
import type { Problem } from './check-project.ts';
import { FAULTS } from './real-faults.ts';

export interface Result {
  readonly shape: string;
  readonly fault: string;
  /** Left out: at every boundary of one run. */
  readonly boundary?: string;
  readonly outcome: string;
  readonly ms: number;
  readonly problems: readonly Problem[];
  /** Why the fault could not be put here. */
  readonly missed?: string;
}

export interface Totals {
  readonly runs: number;
  readonly notPut: number;
  readonly torn: number;
  readonly lost: number;
  readonly leaked: number;
  readonly secret: number;
  readonly foreign: number;
  readonly harness: number;
}

const SHORT: Readonly<Record<string, string>> = {
  'fails': 'fails', 'loses its reply': 'lost reply', 'runs twice': 'twice', 'is cancelled': 'cancelled', 'kill the worker': '-9 worker', 'kill the store': '-9 store', 'terminate': 'terminated',
  'fails once': 'fails once', 'its reply is lost once': 'reply once',
};

export function totalsOf(results: readonly Result[], atTheEnd: readonly Problem[]): Totals {
  const problems = [...results.flatMap((result) => result.problems), ...atTheEnd];
  const count = (kind: Problem['kind']): number => problems.filter((problem) => problem.kind === kind).length;
  return {
    runs: results.length, notPut: results.filter((result) => result.missed !== undefined).length,
    torn: count('torn'), lost: count('lost'), leaked: count('leaked'), secret: count('secret'), foreign: count('foreign'), harness: count('harness'),
  };
}

export function tableOf(shape: string, boundaries: readonly string[], results: readonly Result[]): string {
  const own = results.filter((result) => result.shape === shape);
  const faults = FAULTS.filter((fault) => own.some((result) => result.fault === fault));
  const cell = (boundary: string, fault: string): string => {
    const result = own.find((one) => one.fault === fault && one.boundary === boundary) ?? own.find((one) => one.fault === fault && one.boundary === undefined);
    if (result === undefined) return '';
    if (result.missed !== undefined && result.problems.length === 0) return '–';
    return `${result.problems.length > 0 ? '✗ ' : ''}${result.outcome.replace(' by recover', ' ↻')}${result.boundary === undefined ? ' *' : ''}`;
  };
  const rows = [['', ...faults.map((fault) => SHORT[fault] ?? fault)], ...boundaries.map((boundary) => [boundary, ...faults.map((fault) => cell(boundary, fault))])];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return [`\n${shape}`, ...rows.map((row) => `  ${row.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())].join('\n');
}

export const LEGEND = '  ↻ finished by `recover`    * one run with the fault at every boundary    – the fault could not be put there    ✗ a finding';

export function findingsOf(results: readonly Result[], atTheEnd: readonly Problem[]): string[] {
  return [
    ...results.flatMap((result) => result.problems.map((problem) => `${result.shape} · ${result.boundary ?? 'every boundary'} · ${result.fault}: ${problem.kind}: ${problem.what}`)),
    ...atTheEnd.map((problem) => `at the end: ${problem.kind}: ${problem.what}`),
  ];
}
