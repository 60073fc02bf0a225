/**
 * Records one history per workflow shape and outcome into histories/, over fakes and a real Temporal
 * server: `node test/replay/record.ts [name …]` under the pinned Node. Run it when a workflow was changed on
 * purpose and no run of the old one can be open any more; otherwise the change needs a patch marker.
 */
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createInjector } from '../faults/inject.ts';
import type { Ended } from '../faults/inject.ts';
import { BENT, FORWARD, RECOVERIES } from '../faults/shapes.ts';
import type { Shape } from '../faults/shapes.ts';
import { openWorkflowBench } from '../support/temporal.ts';

const folder = new URL('./histories/', import.meta.url);
const checkout = fileURLToPath(new URL('../../', import.meta.url));
const bench = await openWorkflowBench();
const inject = createInjector(bench);

function shape(name: string): Shape {
  const found = [...FORWARD, ...BENT, ...RECOVERIES].find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`There is no shape "${name}".`);
  return found;
}

/** The first attempt does not pass its checks, the second does. */
function mended(): Shape {
  const base = shape('generate');
  return {
    ...base,
    world: (projectId) => Object.assign(base.world(projectId), { produceAttempts: 2, findings: [[{ kind: 'type', file: 'apps/blog/src/main.tsx', line: 3, message: 'TS2322: no' }]] }),
  };
}

const first = (activity: string) => ({ activity, nth: 1 });
const RECORDINGS: Readonly<Record<string, () => Promise<Ended>>> = {
  provisioned: () => inject.undisturbed(shape('provision')),
  'provision-unwound': () => inject.undisturbed(shape('provision, unwound')),
  generated: () => inject.undisturbed(shape('generate')),
  'generated-after-mending': () => inject.undisturbed(mended()),
  'generated-refused': () => inject.at(shape('generate'), first('planGeneration'), 'fails'),
  'generate-unwound': () => inject.undisturbed(shape('generate, unwound')),
  'generate-went-back': () => inject.undisturbed(shape('generate, went back')),
  'generate-cancelled': () => inject.at(shape('generate'), first('produceApp'), 'is cancelled'),
  'generated-migrating': () => inject.undisturbed(shape('generate, migrating')),
  'generate-migrating-unwound': () => inject.undisturbed(shape('generate, migrating, unwound')),
  'generate-migrating-went-back': () => inject.undisturbed(shape('generate, migrating, went back')),
  'generate-failed-resumable': () => inject.undisturbed({ ...mended(), world: (projectId) => Object.assign(mended().world(projectId), { produceAttempts: 1 }), request: (projectId) => ({ ...shape('generate').request(projectId), waitMs: 1 }) }),
  'recovered-migrating-generation-before-its-decision': () => inject.undisturbed(shape('recover a migrating generation before its decision')),
  'restored-all': () => inject.undisturbed(shape('restore all')),
  'restored-data': () => inject.undisturbed(shape('restore data')),
  'restored-code': () => inject.undisturbed(shape('restore code')),
  'restored-after-retries': () => inject.everywhere(shape('restore all'), 'every reply is lost once'),
  'restore-refused': () => inject.at(shape('restore all'), first('planRestore'), 'fails'),
  'restore-unwound': () => inject.undisturbed(shape('restore, unwound')),
  'restore-went-back': () => inject.undisturbed(shape('restore, went back')),
  'restore-cancelled-before-its-decision': () => inject.at(shape('restore all'), first('forkBranch'), 'is cancelled'),
  'restore-cancelled-after-its-decision': () => inject.at(shape('restore all'), first('startCompute'), 'is cancelled'),
  'restore-left-open': () => inject.at(shape('restore, went back'), first('decideBack'), 'fails'),
  recorded: () => inject.undisturbed(shape('bookmark')),
  'bookmark-unwound': () => inject.at(shape('bookmark'), first('pinMoment'), 'fails'),
  deleted: () => inject.undisturbed(shape('delete')),
  'recovered-restore-before-its-decision': () => inject.undisturbed(shape('recover a restore before its decision')),
  'recovered-restore-after-its-decision': () => inject.undisturbed(shape('recover a restore after its decision')),
  'recovered-generation-before-its-decision': () => inject.undisturbed(shape('recover a generation before its decision')),
  'recovered-generation-after-its-decision': () => inject.undisturbed(shape('recover a generation after its decision')),
};

mkdirSync(folder, { recursive: true });
const wanted = process.argv.slice(2);
for (const [name, make] of Object.entries(RECORDINGS).filter(([known]) => wanted.length === 0 || wanted.includes(known))) {
  const { run: { workflowId, runId } } = await make();
  await save(name, workflowId, runId);
}
await bench.close();

/** The run's history and, beside it, its children's; without the recorder's host and its paths. */
async function save(name: string, workflowId: string, runId: string | undefined): Promise<void> {
  const history = await bench.environment.client.workflow.getHandle(workflowId, runId).fetchHistory();
  const json = JSON.stringify(JSON.parse(historyToJSON(history), (key, value: unknown) => (key === 'identity' || (key === 'name' && typeof value === 'string' && /^\d+@/.test(value)) ? 'recorder' : value)));
  writeFileSync(new URL(`${name}.json`, folder), `${json.replaceAll(`file://${checkout}`, '').replaceAll(checkout, '')}\n`);
  for (const event of history.events ?? []) {
    const child = event.childWorkflowExecutionStartedEventAttributes;
    if (child?.workflowExecution?.workflowId != null) await save(`${name}.${child.workflowType?.name ?? 'child'}`, child.workflowExecution.workflowId, child.workflowExecution.runId ?? undefined);
  }
}
