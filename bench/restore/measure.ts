/** One size on one platform: rounds of undo, redo and the same by hand, side by side, so that noise meets all alike. */
import type { OpenRuntime } from '../../client/open.ts';
import type { PgClient } from '../pg-client.ts';
import { move } from './moves.ts';
import { podsByHand } from './pods-by-hand.ts';
import { postgresAlone } from './postgres-alone.ts';
import { answers, concluded, FIRST_APP, makeProject } from './project.ts';
import type { Row, SizeResult } from './rows.ts';
import { storesByHand } from './stores-by-hand.ts';

export interface Wanted {
  readonly label: string;
  readonly bytes: number;
  readonly repeat: number;
  readonly client: PgClient | undefined;
}

const APPS = ['app', 'app-task-board'];
const COMPUTE = 'neon-compute';

export async function measureSize(open: OpenRuntime, wanted: Wanted, note: (text: string) => void): Promise<SizeResult> {
  const { platform } = open;
  const project = await makeProject(open, wanted.bytes, note);
  const { world } = project;
  const pods = podsByHand(platform, project.projectId);
  const stores = await storesByHand(platform, project);
  const alone = await postgresAlone(platform, project);
  const samples: Partial<Record<Row, number[]>> = {};
  const steps = new Map<string, number[]>();
  const keep = (row: Row, ms: number): void => { (samples[row] ??= []).push(ms); };

  try {
    await pods.prepareApply();
    for (let round = 1; round <= wanted.repeat; round++) {
      const undo = await move(open, project, 'undo');
      keep('undo wall', undo.wall);
      keep('undo downtime', undo.downtime);
      for (const { name, ms } of undo.steps) steps.set(name, [...(steps.get(name) ?? []), ms]);
      const redo = await move(open, project, 'redo');
      keep('redo wall', redo.wall);
      keep('redo downtime', redo.downtime);

      keep('fork', await stores.fork(round));
      keep('git', await stores.git());
      keep('apply', await pods.apply(round));
      keep('app stop', await pods.stop(APPS));
      keep('compute stop', await pods.stop([COMPUTE]));
      keep('compute start', await pods.start(COMPUTE));
      keep('app start', await pods.start('app', () => answers(world).catch(() => false)));
      await pods.start('app-task-board');

      if (wanted.client) {
        const { dump, restore } = await alone.dumpAndRestore(wanted.client, world);
        keep('pg_dump', dump);
        keep('pg_restore', restore);
      }
      const { stop, start } = await alone.restart();
      keep('postgres stop', stop);
      keep('postgres start', start);
      note(`${wanted.label}, round ${String(round)}: ${FIRST_APP} undone in ${String(Math.round(undo.wall))} ms, away ${String(Math.round(undo.downtime))} ms`);
    }
    return {
      label: wanted.label, databaseBytes: project.databaseBytes, replayedBytes: stores.replayedBytes, samples,
      steps: [...steps].map(([name, ms]) => ({ name, ms })),
    };
  } finally {
    await alone.remove();
    stores.remove();
    await pods.close();
    await world.close();
    await open.runtime.deleteProject(project.projectId).then(concluded).catch((error: unknown) => { note(`the project was not deleted: ${String(error)}`); });
  }
}
