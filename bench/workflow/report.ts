/** The budgets of a restore's workflow and of a converge, as one table: pure. */
import { bytes, figure, table } from '../markdown.ts';
import type { MachineFacts } from '../machine.ts';
import { ratioOf, summarize } from '../statistics.ts';
import type { NoOpConverge } from './no-op-converge.ts';
import type { Overhead } from './overhead.ts';
import type { HistorySize } from './record-run.ts';
import type { RenderTime } from './render-time.ts';

export interface WorkflowReport {
  readonly date: string;
  readonly machine: MachineFacts;
  readonly undo: HistorySize;
  readonly redo: HistorySize;
  readonly instant: Overhead;
  readonly paced: Overhead;
  readonly converge: NoOpConverge;
  readonly render: RenderTime;
}

const WANTED = { overhead: 1.1, events: 120, activities: 20, bytes: 65_536, renderMs: 1000 } as const;

const verdict = (held: boolean): string => (held ? 'held' : 'missed');

export function workflowTable({ undo, redo, instant, paced, converge, render, machine, date }: WorkflowReport): string {
  const overhead = (name: string, { own: measured, bare }: Overhead): string[] => {
    const [own, least] = [summarize(measured), summarize(bare)];
    const value = ratioOf(own?.median, least?.median) ?? NaN;
    return [name, `${value.toFixed(3)}: ${figure(own)} against ${figure(least)}`, `≤ ${String(WANTED.overhead)}`, verdict(value <= WANTED.overhead)];
  };
  const history = (name: string, size: HistorySize): string[][] => [
    [`${name}: events`, String(size.events), `≤ ${String(WANTED.events)}`, verdict(size.events <= WANTED.events)],
    [`${name}: activities`, String(size.activities), `≤ ${String(WANTED.activities)}`, verdict(size.activities <= WANTED.activities)],
    [`${name}: history`, bytes(size.bytes), '≤ 64 KiB', verdict(size.bytes <= WANTED.bytes)],
  ];
  const twice = Object.values(converge.lists).filter((count) => count > 1).length;
  const cpu = summarize(render.cpuMs);
  const rows = [
    overhead('restoreProject ÷ bare workflow, activities as long as in the undo', paced),
    overhead('the same, activities that answer at once', instant),
    ...history('undo', undo),
    ...history('redo', redo),
    ['no-op converge: writes', `${String(converge.writes)} requests, ${String(converge.moved)} of ${String(converge.objects)} objects changed`, 'none', verdict(converge.writes === 0 && converge.moved === 0)],
    ['no-op converge: reads', `${String(Object.keys(converge.lists).length)} kinds, ${String(twice)} listed more than once, ${String(converge.otherReads)} other reads`, 'one LIST per kind', verdict(twice === 0 && converge.otherReads === 0)],
    [`render of ${String(render.apps)} apps (${String(render.objects)} objects)`, `${figure(cpu)} CPU`, '< 1 s CPU', verdict((cpu?.median ?? Infinity) < WANTED.renderMs)],
  ];
  const facts = `${machine.cpu}, ${String(machine.cores)} cores, ${machine.kernel}, Node ${machine.node}; ${date}; medians (lowest to highest)`;
  return `${facts}\n\n${table(['', 'measured', 'wanted', ''], rows)}`;
}
