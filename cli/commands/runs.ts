/** `runs`, `cancel`, `resume`, `recover`, `logs`: operations and what they left to read. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { describeProject, listRuns } from '../../client/reads.ts';
import { layout } from '../../local/paths.ts';
import { AdorableError } from '../../shared/errors.ts';
import { parseOperationId, parseProjectId } from '../../shared/ids.ts';
import { addCommand, conclude, parseCount, withRuntime } from '../context.ts';
import type { CommonOptions } from '../context.ts';

export function runsCommands(program: Command): void {
  addCommand(program, 'runs <project>', 'running and past operations').action(async (project: string, options: CommonOptions) => {
    const projectId = parseProjectId(project);
    await withRuntime(options, async ({ database, temporal }, output) => {
      const runs = await listRuns(database, temporal, projectId);
      output.result(runs, () => {
        for (const run of runs) {
          output.line(`${run.operationId}  ${run.kind.padEnd(9)} ${run.startedAt}  ${run.outcome ?? `running (${run.phase})`}  ${run.message ?? ''}`);
          if (run.model !== undefined) output.line(`    the model: ${String(run.model.tokens)} tokens${run.model.cost === 0 ? '' : `, ${run.model.cost.toFixed(4)} in the currency of ADORABLE_MODEL_PRICES`}`);
          for (const stuck of run.retrying ?? []) output.line(`    retrying ${stuck.activity}, attempt ${String(stuck.attempt)}: ${stuck.lastFailure ?? ''}`);
        }
      });
    });
  });

  addCommand(program, 'cancel <project>', 'cancel the running operation; after its decision it completes')
    .option('--operation <id>', 'refuse when another operation runs')
    .option('--reason <text>', 'kept with the outcome', 'cancelled from the command line')
    .action(async (project: string, options: CommonOptions & { operation?: string; reason: string }) => {
      const projectId = parseProjectId(project);
      await withRuntime(options, async ({ runtime }, output) => {
        const progress = await runtime.cancel(projectId, options.reason, options.operation === undefined ? undefined : parseOperationId(options.operation));
        output.result(progress, () => { output.line(`Asked ${progress.kind} ${progress.operationId} (${progress.phase}) to stop.`); });
      });
    });

  addCommand(program, 'resume <project>', 'let a waiting operation go on')
    .option('--operation <id>', 'refuse when another operation runs')
    .action(async (project: string, options: CommonOptions & { operation?: string }) => {
      const projectId = parseProjectId(project);
      await withRuntime(options, async ({ runtime }, output) => {
        const progress = await runtime.resume(projectId, options.operation === undefined ? undefined : parseOperationId(options.operation));
        output.result(progress, () => { output.line(`Pushed ${progress.kind} ${progress.operationId} (${progress.phase}).`); });
      });
    });

  addCommand(program, 'recover <project>', 'finish what a terminated run left open').action(async (project: string, options: CommonOptions) => {
    const projectId = parseProjectId(project);
    await withRuntime(options, async ({ runtime }, output) => { await conclude(await runtime.recover(projectId), output); });
  });

  addCommand(program, 'logs <project> <app>', 'what an app or service of the project printed')
    .option('--lines <n>', 'of each pod, newest last', (value) => parseCount(value, { name: 'A number of lines', max: 100_000 }), 200)
    .action(async (project: string, app: string, options: CommonOptions & { lines: number }) => {
      const projectId = parseProjectId(project);
      await withRuntime(options, async ({ database, platform, preview }, output) => {
        const { apps } = await describeProject(database, projectId, preview);
        const known = apps.find((row) => row.slug === app);
        const deployment = known === undefined ? app : known.primary ? 'app' : `app-${known.slug}`;
        const folder = join(layout(platform.dataDir).podLogs, `adorable-${projectId}`);
        // A pod is <deployment>-<replica set>-<suffix>: `app` must not match `app-blog`'s.
        const shape = new RegExp(`^${deployment.replace(/[^a-z0-9-]/g, '')}-[a-z0-9]+-[a-z0-9]{5}\\.log$`);
        const files = existsSync(folder) ? readdirSync(folder).filter((name) => shape.test(name)).sort() : [];
        if (files.length === 0) throw new AdorableError('NotFound', `No logs of ${app} in project ${projectId}: apps are ${apps.map((row) => row.slug).join(', ') || 'none yet'}.`);
        const logs = files.map((name) => ({ pod: name.replace(/\.log$/, ''), lines: readFileSync(join(folder, name), 'utf8').trimEnd().split('\n').slice(-options.lines) }));
        output.result(logs, () => {
          for (const { pod, lines } of logs) for (const text of lines) output.line(`${pod}  ${text}`);
        });
      });
    });
}
