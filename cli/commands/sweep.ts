/** `sweep`: reaps what nothing refers to, and names drift and orphans. */
import type { Command } from 'commander';
import type { SweptProject } from '../../shared/contract/sweep.ts';
import { AdorableError } from '../../shared/errors.ts';
import { parseProjectId } from '../../shared/ids.ts';
import { addCommand, withRuntime } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import type { Output } from '../output.ts';

export function sweepCommands(program: Command): void {
  addCommand(program, 'sweep [project]', 'reap what nothing refers to (every 15 min by itself); never what a checkpoint needs')
    .option('--dry-run', 'only say what would go')
    .action(async (project: string | undefined, options: CommonOptions & { dryRun?: boolean }) => {
      const only = project === undefined ? {} : { projectId: parseProjectId(project) };
      await withRuntime(options, async ({ runtime }, output) => {
        const { projects } = await runtime.sweep({ ...only, ...(options.dryRun === true ? { dryRun: true } : {}) });
        const [first] = projects;
        if (project !== undefined && first?.state === 'busy') throw new AdorableError('Busy', `Project ${project} is busy: nothing was reaped; see \`adorable runs ${project}\`.`);
        output.result(projects, () => { for (const swept of projects) print(output, swept); });
        process.exitCode = projects.some((swept) => swept.state === 'failed' || swept.left.length > 0) ? 1 : 0;
      });
    });
}

function print(output: Output, swept: SweptProject): void {
  const parts = Object.entries(swept.reaped).filter(([, items]) => items.length > 0).map(([name, items]: [string, readonly string[]]) => `${name} ${items.join(', ')}`);
  output.line(`${swept.projectId}  ${swept.state.padEnd(9)} ${swept.message ?? (parts.length === 0 ? 'nothing to reap' : parts.join('; '))}`);
  for (const text of swept.left) output.line(`    left: ${text}`);
  for (const difference of swept.drift) output.line(`    drift: ${difference.what} is ${difference.found}, not ${difference.expected}`);
  for (const text of swept.orphans) output.line(`    not ours: ${text}`);
}
