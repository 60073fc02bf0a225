/**
 * `npm run test:faults`: every saga on the real engines, with every fault at every boundary of its
 * recorded history. Prints each run, a table per shape and the totals; ends with 1 on any finding.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { FAULTS } from './real-faults.ts';
import { SHAPES } from './real-shapes.ts';
import { createSchedule, WRITTEN } from './schedule.ts';
import { findingsOf, LEGEND, tableOf, totalsOf } from './table.ts';

const NAMES = [...SHAPES.map((shape) => shape.name), WRITTEN];
const { values } = parseArgs({
  options: {
    shape: { type: 'string', multiple: true }, fault: { type: 'string', multiple: true }, boundary: { type: 'string', multiple: true },
    platforms: { type: 'string', default: '2' }, each: { type: 'boolean', default: false }, thin: { type: 'string', default: '1' },
    report: { type: 'string' }, help: { type: 'boolean', default: false },
  },
});
const HELP = `Usage: npm run test:faults -- [options]

  --shape TEXT      only this shape, or those whose name begins so; may be given again:${NAMES.map((name) => `\n                      ${name}`).join('')}
  --fault TEXT      only this fault; may be given again:${FAULTS.map((name) => `\n                      ${name}`).join('')}
  --boundary NAME   only at activities of this name; may be given again
  --each            one boundary a run also for what one run takes at every boundary: runs twice, fails once, its reply is lost once
  --thin N          a sample: every Nth boundary, other ones for each fault
  --platforms N     platforms side by side, 2 without it; each takes about 1.2 GB
  --report FILE     every run as JSON; ADORABLE_FAULTS_REPORT does the same`;

const isWanted = (name: string): boolean => values.shape === undefined || values.shape.some((text) => (NAMES.includes(text) ? name === text : name.startsWith(text)));
const shapes = SHAPES.filter(({ name }) => isWanted(name));
const faults = FAULTS.filter((fault) => values.fault === undefined || values.fault.includes(fault));
const [platforms, thin] = [Number(values.platforms), Number(values.thin)];
const isRunnable = faults.length > 0 && (shapes.length > 0 || isWanted(WRITTEN)) && [platforms, thin].every((number) => Number.isInteger(number) && number > 0);

if (values.help || !isRunnable) {
  console.log(HELP);
  process.exit(values.help ? 0 : 2);
}
process.exitCode = await main();

async function main(): Promise<number> {
  const schedule = createSchedule({ shapes, faults, written: isWanted(WRITTEN), each: values.each, thin, platforms, ...(values.boundary === undefined ? {} : { boundaries: values.boundary }) });
  const { results, atTheEnd } = schedule;
  const report = values.report ?? process.env['ADORABLE_FAULTS_REPORT'];
  const began = Date.now();
  const write = (): void => {
    if (report !== undefined) writeFileSync(report, JSON.stringify({ totals: totalsOf(results, atTheEnd), seconds: Math.round((Date.now() - began) / 1000), atTheEnd, results }, null, 1));
  };
  console.log(`${String(shapes.length)} shapes × ${String(faults.length)} faults on the real engines, ${String(platforms)} platforms side by side. Each run puts one fault at one activity of
a saga and must end in a named outcome, with its stores read back (I1–I9). All of it is about
1,330 runs of 5 to 25 s each, 100 min on 2 cores with --platforms 3; --thin 8 is a sample of it.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // The runs at work end and are told of; the platforms are taken down.
    process.on(signal, () => { schedule.stop(); console.log('stopping after the runs at work'); });
  }
  await schedule.run((result) => {
    const { shape, boundary = 'every boundary', fault, outcome, ms, problems, missed } = result;
    console.log(`${clock(began)}  ${problems.length > 0 ? '✗' : missed === undefined ? '✓' : '–'} ${shape} · ${boundary} · ${fault} → ${outcome} (${String(ms)} ms; ${schedule.left()} left)`);
    for (const line of findingsOf([result], [])) console.log(`         ${line}`);
    write();
  });

  for (const [shape, names] of schedule.boundaries) console.log(tableOf(shape, names, results));
  console.log(`\n${LEGEND}`);
  const findings = findingsOf(results, atTheEnd);
  if (findings.length > 0) console.log(`\nFindings\n${findings.map((line) => `  ${line}`).join('\n')}`);
  const { runs, notPut, ...counts } = totalsOf(results, atTheEnd);
  console.log(`\n${String(runs)} runs in ${clock(began)} (${String(notPut)} not put): ${Object.entries(counts).map(([kind, count]) => `${String(count)} ${kind}`).join(', ')}`);
  write();
  return findings.length > 0 ? 1 : 0;
}

function clock(from: number): string {
  const seconds = Math.round((Date.now() - from) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}
