/** What a generation's workflow costs, and how its history grows with the apps that it makes: pure. */
import { bytes, figure, seconds, table } from '../markdown.ts';
import type { MachineFacts } from '../machine.ts';
import { ratioOf, summarize } from '../statistics.ts';
import type { Overhead } from '../workflow/overhead.ts';
import type { RecordedRun } from '../workflow/record-run.ts';

export interface GenerationResult {
  readonly apps: number;
  readonly run: Omit<RecordedRun, 'calls' | 'request' | 'workflow'>;
  /** Over activities that answer at once. */
  readonly instant: Overhead;
  /** Over activities that take as long as they took; where it was measured. */
  readonly paced?: Overhead | undefined;
}

export interface GenerationReport {
  readonly date: string;
  readonly machine: MachineFacts;
  readonly results: readonly GenerationResult[];
}

/** What one more app may add when there are many, beside what it adds when there are few. */
const WANTED_GROWTH = 1.1;

type Count = 'events' | 'activities' | 'bytes';

const totalOf = ({ run }: GenerationResult, of: Count): number => run.size[of] + run.children[of];

export function generationTable({ results, machine, date }: GenerationReport): string {
  const cells = (name: string, value: (result: GenerationResult) => string): string[] => [name, ...results.map(value)];
  const overhead = (of: (result: GenerationResult) => Overhead | undefined) => (result: GenerationResult): string => {
    const measured = of(result);
    if (measured === undefined) return '–';
    const [own, bare] = [summarize(measured.own), summarize(measured.bare)];
    return `${(ratioOf(own?.median, bare?.median) ?? NaN).toFixed(2)}: ${figure(own)} against ${figure(bare)}`;
  };
  const rows = [
    cells('the run, nothing started', ({ run }) => seconds(run.ms)),
    cells('the run: events', ({ run }) => String(run.size.events)),
    cells('the run: history', ({ run }) => bytes(run.size.bytes)),
    cells('its children', ({ run }) => String(run.children.runs)),
    cells('with its children: activities', (result) => String(totalOf(result, 'activities'))),
    cells('with its children: events', (result) => String(totalOf(result, 'events'))),
    cells('with its children: history', (result) => bytes(totalOf(result, 'bytes'))),
    cells('÷ bare workflow, activities that answer at once', overhead(({ instant }) => instant)),
    cells('÷ bare workflow, activities as long as they took', overhead(({ paced }) => paced)),
  ];
  const facts = `${machine.cpu}, ${String(machine.cores)} cores, ${machine.kernel}, Node ${machine.node}; ${date}; medians (lowest to highest)`;
  return [facts, table(['', ...results.map(({ apps }) => `${String(apps)} ${apps === 1 ? 'app' : 'apps'}`)], rows), ...growth(results)].join('\n\n');
}

/** One more app, between the two smallest counts and between the two largest: alike where the growth is linear. */
function growth(results: readonly GenerationResult[]): readonly string[] {
  const sorted = results.toSorted((a, b) => a.apps - b.apps);
  const [first, second, beforeLast, last] = [sorted[0], sorted[1], sorted.at(-2), sorted.at(-1)];
  if (first === undefined || second === undefined || beforeLast === undefined || last === undefined || sorted.length < 3) return [];
  const perApp = (of: Count, from: GenerationResult, to: GenerationResult): number => (totalOf(to, of) - totalOf(from, of)) / (to.apps - from.apps);
  const rows = (['events', 'activities', 'bytes'] as const).map((of): string[] => {
    const [few, many] = [perApp(of, first, second), perApp(of, beforeLast, last)];
    const text = (value: number): string => (of === 'bytes' ? bytes(Math.round(value)) : value.toFixed(1));
    const value = ratioOf(many, few) ?? NaN;
    return [`one more app: ${of}`, text(few), text(many), `${value.toFixed(2)} (wanted ≤ ${String(WANTED_GROWTH)}: ${value <= WANTED_GROWTH ? 'held' : 'missed'})`];
  });
  return [table(['', `${String(first.apps)} to ${String(second.apps)}`, `${String(beforeLast.apps)} to ${String(last.apps)}`, 'ratio'], rows)];
}
