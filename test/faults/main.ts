/**
 * `npm run test:faults`: every saga on the real engines, with every fault at every boundary of its
 * recorded history. Prints a table per shape and the totals; ends with 1 on any finding.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { nameOf } from './boundaries.ts';
import type { Boundary } from './boundaries.ts';
import type { Problem } from './check-project.ts';
import { openEngines } from './engines.ts';
import { openLane } from './lane.ts';
import type { Lane } from './lane.ts';
import { EVERYWHERE, FAULTS } from './real-faults.ts';
import type { RealFault } from './real-faults.ts';
import { SHAPES } from './real-shapes.ts';
import type { RealShape } from './real-shapes.ts';
import { findingsOf, LEGEND, tableOf, totalsOf } from './table.ts';
import type { Result } from './table.ts';
import { writeWhile } from './writer.ts';

interface Cell { readonly shape: RealShape; readonly fault: RealFault; readonly boundary?: Boundary; readonly written?: boolean }

/** Undone and redone while two writers write, a fault of another kind at each boundary (I3). */
const WRITTEN = 'restore undo, written to';
const WRITTEN_FAULTS: readonly RealFault[] = ['kill the worker', 'kill the store', 'terminate', 'fails'];

const NAMES = [...SHAPES.map((shape) => shape.name), WRITTEN];

const { values } = parseArgs({
  options: {
    shape: { type: 'string', multiple: true }, fault: { type: 'string', multiple: true }, boundary: { type: 'string', multiple: true },
    platforms: { type: 'string', default: '2' }, each: { type: 'boolean', default: false }, thin: { type: 'string', default: '1' }, report: { type: 'string' }, help: { type: 'boolean', default: false },
  },
});
const HELP = `Usage: npm run test:faults -- [options]

  --shape TEXT      only shapes whose name begins so; may be given again. ${NAMES.map((name) => `\n                      ${name}`).join('')}
  --fault TEXT      only these: ${FAULTS.join(' · ')}
  --boundary NAME   only at activities of this name
  --each            also what one run takes at every boundary, one boundary a run
  --thin N          a sample: every Nth boundary, other ones for each fault
  --platforms N     platforms side by side, 2 without it; each takes about 1.2 GB
  --report FILE     every run as JSON; ADORABLE_FAULTS_REPORT does the same`;

const isWanted = (name: string): boolean => values.shape === undefined || values.shape.some((text) => (NAMES.includes(text) ? name === text : name.startsWith(text)));
const shapes = SHAPES.filter(({ name }) => isWanted(name));
const faults = FAULTS.filter((fault) => values.fault === undefined || values.fault.includes(fault));
const thin = Math.max(1, Number(values.thin));
const report = values.report ?? process.env['ADORABLE_FAULTS_REPORT'];

if (values.help || (shapes.length === 0 && !isWanted(WRITTEN)) || faults.length === 0) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}
process.exitCode = await main();

async function main(): Promise<number> {
  const lanes = Math.max(1, Math.min(Number(values.platforms), shapes.length || 1));
  console.log(`${String(shapes.length)} shapes × ${String(faults.length)} faults on the real engines, ${String(lanes)} platforms side by side: each run puts one fault at one activity of a saga,
ends in a named outcome, and has its stores read back (I1–I9). All of it takes about 45 min on 2 idle cores.`);
  const began = Date.now();
  const todo = [...shapes];
  let writing = isWanted(WRITTEN);
  const cells: Cell[] = [];
  const boundaries = new Map<string, readonly string[]>();
  const results: Result[] = [];
  const atTheEnd: Problem[] = [];

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // The runs at work end and are told of; the platforms are taken down.
    process.once(signal, () => { cells.length = 0; todo.length = 0; writing = false; console.log('stopping after the runs at work'); });
  }

  async function work(lane: Lane): Promise<void> {
    for (;;) {
      // What starts where the project stands is first: moving it takes as long as a run.
      let index = cells.findIndex((cell) => lane.isAt(cell.shape));
      if (index < 0 && todo.length > 0) {
        await enumerate(lane, todo.splice(Math.max(0, todo.findIndex((shape) => lane.isAt(shape))), 1)[0] as RealShape);
        continue;
      }
      if (index < 0 && cells.length === 0 && writing) {
        writing = false;
        await enumerateWritten(lane);
      }
      if (index < 0) index = 0;
      const [cell] = cells.splice(index, 1);
      if (cell === undefined) return;
      const result = await run(lane, cell);
      results.push(result);
      const left = cells.length + (todo.length > 0 ? ` and ${String(todo.length)} shapes` : '');
      console.log(`${clock(began)}  ${result.problems.length > 0 ? '✗' : result.missed === undefined ? '✓' : '–'} ${result.shape} · ${result.boundary ?? 'every boundary'} · ${result.fault} → ${result.outcome} (${String(result.ms)} ms; ${left} left)`);
      for (const line of findingsOf([result], [])) console.log(`         ${line}`);
      if (report !== undefined) write(report);
    }
  }

  async function run(lane: Lane, { shape, fault, boundary, written }: Cell): Promise<Result> {
    const put = { fault, ...(boundary === undefined ? {} : { boundary }) };
    if (written !== true || boundary === undefined) return await lane.run(shape, put);
    await lane.record(shape);
    const from = Date.now();
    const { outcome, problems } = await writeWhile(lane, put);
    return { shape: WRITTEN, fault, boundary: nameOf(boundary), outcome, ms: Date.now() - from, problems };
  }

  async function enumerateWritten(lane: Lane): Promise<void> {
    const shape = SHAPES.find((one) => WRITTEN.startsWith(`${one.name},`)) as RealShape;
    const wanted = WRITTEN_FAULTS.filter((fault) => faults.includes(fault));
    const recorded = (await lane.record(shape)).boundaries;
    boundaries.set(WRITTEN, recorded.map(nameOf));
    cells.push(...recorded.flatMap((boundary, index) => { if (index % thin > 0) return []; const fault = wanted[index % wanted.length]; return fault === undefined ? [] : [{ shape, fault, boundary, written: true }]; }));
  }

  async function enumerate(lane: Lane, shape: RealShape): Promise<void> {
    const recorded = (await lane.record(shape)).boundaries.filter(({ activity }) => values.boundary === undefined || values.boundary.includes(activity));
    boundaries.set(shape.name, recorded.map(nameOf));
    for (const fault of faults) {
      if (EVERYWHERE.has(fault) && !values.each && values.boundary === undefined) cells.push({ shape, fault });
      else cells.push(...recorded.filter((_, index) => (index + FAULTS.indexOf(fault)) % thin === 0).map((boundary) => ({ shape, fault, boundary })));
    }
  }

  function write(file: string): void {
    writeFileSync(file, JSON.stringify({ totals: totalsOf(results, atTheEnd), seconds: Math.round((Date.now() - began) / 1000), atTheEnd, results }, null, 1));
  }

  await Promise.all(Array.from({ length: lanes }, async () => {
    const engines = await openEngines();
    try {
      const lane = await openLane(engines);
      try {
        await work(lane);
        atTheEnd.push(...await lane.finish());
      } finally {
        await lane.close();
      }
    } finally {
      await engines.close();
    }
  }));

  for (const [shape, names] of boundaries) console.log(tableOf(shape, names, results));
  console.log(`\n${LEGEND}`);
  const findings = findingsOf(results, atTheEnd);
  if (findings.length > 0) console.log(`\nFindings\n${findings.map((line) => `  ${line}`).join('\n')}`);
  const { runs, notPut, ...counts } = totalsOf(results, atTheEnd);
  console.log(`\n${String(runs)} runs in ${clock(began)} (${String(notPut)} not put): ${Object.entries(counts).map(([kind, count]) => `${String(count)} ${kind}`).join(', ')}`);
  if (report !== undefined) write(report);
  return findings.length > 0 ? 1 : 0;
}

function clock(from: number): string {
  const seconds = Math.round((Date.now() - from) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
