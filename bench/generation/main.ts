/** `bench generation`: what a generation's workflow costs by itself, and how its history grows with the apps. */
import { parseArgs } from 'node:util';
import { makePlace } from '../filesystem.ts';
import { machineFacts } from '../machine.ts';
import { parseApps, parseRepeat } from '../options.ts';
import { withPlatform } from '../platform.ts';
import { publish } from '../publish.ts';
import { withClient } from '../workflow/client.ts';
import { measureOverhead, quietWorkers } from '../workflow/overhead.ts';
import { generateMany } from './many-apps.ts';
import { generationTable } from './report.ts';
import type { GenerationReport, GenerationResult } from './report.ts';

const HELP = `Usage: npm run bench:generation -- [options]

One generation for each number of apps, on the real engines with nothing started; then the same activities, recorded, by
generateProject and by a bare workflow. About 8 min on 2 cores.

  --apps LIST  apps that one generation makes (default 1,10,100)
  --repeat N   rounds of the two workflows (default 10)
  --base DIR   where the data directory is made (default: the temporary directory)
  --json       print one JSON document instead of a table
  --write      also write docs/benchmarks.md's section
  --help       this text
`;

const { values } = parseArgs({
  options: { apps: { type: 'string', default: '1,10,100' }, repeat: { type: 'string', default: '10' }, base: { type: 'string' }, json: { type: 'boolean' }, write: { type: 'boolean' }, help: { type: 'boolean' } },
});

/** Minutes each where there are many: then the activities' own time is nearly all of it. */
const PACED_APPS = 10;
const PACED_ROUNDS = 3;
const BYTES = 6e9;

const note = (text: string): void => { process.stderr.write(`${text}\n`); };
/** The others wait for each other, as their parent has it. */
const sideBySide = (child: string): boolean => child.startsWith('generate/');

async function bench(): Promise<void> {
  const [counts, repeat] = [parseApps(values.apps), parseRepeat(values.repeat)];
  quietWorkers();
  const place = await makePlace('plain', BYTES, values.base).then(async (plain) => ('absent' in plain ? await makePlace('reflink', BYTES, values.base) : plain));
  if ('absent' in place) throw new Error(place.absent);
  try {
    const report = await withPlatform(place.folder, note, async (open): Promise<GenerationReport> => {
      const address = `127.0.0.1:${String(open.platform.ports.temporal)}`;
      const results = await withClient(address, async (client) => {
        const done: GenerationResult[] = [];
        for (const [at, { calls, request, workflow, ...run }] of (await generateMany(open, client, { counts, note })).entries()) {
          const apps = counts[at] ?? 0;
          const input = { client, address, workflow, calls, request, repeat, sideBySide };
          const instant = await measureOverhead(input, false);
          const paced = apps > PACED_APPS ? undefined : await measureOverhead({ ...input, repeat: Math.min(repeat, PACED_ROUNDS) }, true);
          note(`${String(apps)} apps by both workflows`);
          done.push({ apps, run, instant, paced });
        }
        return done;
      });
      return { date: new Date().toISOString().slice(0, 10), machine: machineFacts(), results };
    });
    publish({ section: 'generation', report, text: generationTable(report), json: values.json, write: values.write });
  } finally {
    await place.remove();
  }
}

if (values.help === true) process.stdout.write(HELP);
else await bench();
