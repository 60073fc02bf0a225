/** `bench workflow`: what a restore's workflow costs by itself, and what a converge that changes nothing asks. */
import { parseArgs } from 'node:util';
import { projectWorkflowId } from '../../shared/contract/operation.ts';
import { RESTORE_PROJECT } from '../../shared/contract/restore-project.ts';
import { makePlace } from '../filesystem.ts';
import { machineFacts } from '../machine.ts';
import { parseRepeat } from '../options.ts';
import { withPlatform } from '../platform.ts';
import { publish } from '../publish.ts';
import { concluded, makeProject } from '../restore/project.ts';
import { withClient } from './client.ts';
import { measureNoOpConverge } from './no-op-converge.ts';
import { measureOverhead, quietWorkers } from './overhead.ts';
import { recordRun } from './record-run.ts';
import { measureRender } from './render-time.ts';
import { workflowTable } from './report.ts';
import type { WorkflowReport } from './report.ts';

const HELP = `Usage: npm run bench:workflow -- [options]

Measures restoreProject beside a bare workflow with the same activities, the history of an undo and a redo, a converge that
changes nothing, and the rendering of 1,000 apps, on a platform of its own.

  --repeat N   rounds of the two workflows (default 10)
  --base DIR   where the data directory is made (default: the temporary directory)
  --json       print one JSON document instead of a table
  --write      also write docs/benchmarks.md's section
  --help       this text
`;

const { values } = parseArgs({
  options: { repeat: { type: 'string', default: '10' }, base: { type: 'string' }, json: { type: 'boolean' }, write: { type: 'boolean' }, help: { type: 'boolean' } },
});

const note = (text: string): void => { process.stderr.write(`${text}\n`); };

const PACED_ROUNDS = 4;

async function bench(): Promise<void> {
  const repeat = parseRepeat(values.repeat);
  quietWorkers();
  const place = await makePlace('plain', 4e9, values.base).then(async (plain) => ('absent' in plain ? await makePlace('reflink', 4e9, values.base) : plain));
  if ('absent' in place) throw new Error(place.absent);
  try {
    const report = await withPlatform(place.folder, note, async (open): Promise<WorkflowReport> => {
      const address = `127.0.0.1:${String(open.platform.ports.temporal)}`;
      return await withClient(address, async (client) => {
        const project = await makeProject(open, 1e6, note);
        try {
          const { projectId } = project;
          await concluded(await open.runtime.restore(projectId, 'undo'));
          const undo = await recordRun(client, projectWorkflowId(projectId));
          await concluded(await open.runtime.restore(projectId, 'redo'));
          const redo = await recordRun(client, projectWorkflowId(projectId));
          note('undone and redone; now the same activities by both workflows');
          const converge = await measureNoOpConverge(open, projectId);
          const input = { client, address, workflow: RESTORE_PROJECT, calls: undo.calls, request: undo.request, repeat };
          const instant = await measureOverhead(input, false);
          // As long as an undo each: a few are enough, since little of it is the workflow's.
          const paced = await measureOverhead({ ...input, repeat: Math.min(repeat, PACED_ROUNDS) }, true);
          return { date: new Date().toISOString().slice(0, 10), machine: machineFacts(), undo: undo.size, redo: redo.size, instant, paced, converge, render: measureRender(1000, 9) };
        } finally {
          await project.world.close();
        }
      });
    });
    publish({ section: 'workflow', report, text: workflowTable(report), json: values.json, write: values.write });
  } finally {
    await place.remove();
  }
}

if (values.help === true) process.stdout.write(HELP);
else await bench();
