/** `new`, `projects`, `delete`, `chat`, `plan`, `generate`: from a name to running apps. */
import type { Command } from 'commander';
import type { PlanRevision, Proposal } from '../../client/runtime.ts';
import { listProjects, nameToDelete } from '../../client/reads.ts';
import type { GenerationDoor } from '../../shared/contract/generate-project.ts';
import { AdorableError } from '../../shared/errors.ts';
import { parseProjectId, parseRevisionId } from '../../shared/ids.ts';
import { addCommand, clearWaiting, conclude, confirm, parseCount, withRuntime } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import type { Output } from '../output.ts';

const DOORS: readonly GenerationDoor[] = ['approve_plan', 'trigger_generation', 'resume', 'retry', 'iteration_carryover'];

const WAIT = 'how long a bucket that failed waits for `resume` before the run ends (default 300)';

interface GenerateOptions extends CommonOptions {
  readonly wait?: number;
}

export function projectCommands(program: Command): void {
  addCommand(program, 'new <name>', 'create a project: repository, timeline, namespace, compute, first checkpoint')
    .action(async (name: string, options: CommonOptions) => {
      if (name.trim().length === 0 || name.length > 80) throw new AdorableError('InvalidInput', 'A project name has 1 to 80 characters.');
      await withRuntime(options, async ({ runtime }, output) => {
        await conclude(await runtime.createProject(name.trim()), output);
      });
    });

  addCommand(program, 'projects', 'list projects with their apps and addresses').action(async (options: CommonOptions) => {
    await withRuntime(options, async ({ database, preview }, output) => {
      const projects = await listProjects(database, preview);
      output.result(projects, () => {
        if (projects.length === 0) output.line('No projects: `adorable new "my project"` makes one.');
        for (const project of projects) {
          output.line(`${project.id}  ${project.name}  ${project.status}  [${project.services.join(', ')}]`);
          for (const app of project.apps) output.line(`  ${app.slug}${app.primary ? ' (primary)' : ''}  ${app.url}`);
        }
      });
    });
  });

  addCommand(program, 'delete <project>', 'take down everything the project owns; its rows are archived')
    .option('--cancel-waiting', 'first take back a generation that waits for `resume`')
    .option('--yes', 'do not ask')
    .action(async (project: string, options: CommonOptions & { yes?: boolean; cancelWaiting?: boolean }) => {
      const projectId = parseProjectId(project);
      await withRuntime(options, async (open, output) => {
        const { runtime, database } = open;
        const name = await nameToDelete(database, projectId);
        if (!(await confirm(`Delete project ${projectId} (${name}) with its data and history?`, options))) return;
        await clearWaiting(open, projectId, options);
        await conclude(await runtime.deleteProject(projectId), output);
      });
    });

  addCommand(program, 'chat <project> <message>', 'a sentence becomes a proposed plan')
    .action(async (project: string, message: string, options: CommonOptions) => {
      const projectId = parseProjectId(project);
      await withRuntime(options, async ({ runtime }, output) => {
        const proposal = await runtime.chat(projectId, message);
        output.result(proposal, () => {
          printProposal(output, proposal);
          output.line(`Approve it with: adorable plan approve ${projectId}`);
        });
      });
    });

  const plan = program.command('plan').description('look at plan revisions, or approve one');
  addCommand(plan, 'show <project> [revision]', 'plan revisions and their subtasks, or one revision with the document that was proposed')
    .action(async (project: string, revision: string | undefined, options: CommonOptions) => {
      const projectId = parseProjectId(project);
      await withRuntime(options, async ({ runtime }, output) => {
        if (revision !== undefined) {
          const found = await runtime.readPlan(projectId, parseRevisionId(revision));
          output.result(found, () => {
            printRevision(output, found);
            output.line(JSON.stringify(found.plan, null, 2));
          });
          return;
        }
        const revisions = await runtime.listPlans(projectId);
        output.result(revisions, () => {
          if (revisions.length === 0) output.line('No plans: `adorable chat` proposes one.');
          for (const one of revisions) printRevision(output, one);
        });
      });
    });
  addCommand(plan, 'approve <project> [revision]', 'approve a proposed plan and generate it')
    .option('--wait <seconds>', WAIT, parseWait)
    .action(async (project: string, revision: string | undefined, options: GenerateOptions) => {
      const projectId = parseProjectId(project);
      await withRuntime(options, async ({ runtime }, output) => {
        await conclude(await runtime.approvePlan(projectId, revision === undefined ? undefined : parseRevisionId(revision), waitOf(options)), output);
      });
    });

  addCommand(program, 'generate <project>', 'generate the newest approved plan by another door')
    .option('--door <door>', DOORS.join(', '), 'trigger_generation')
    .option('--wait <seconds>', WAIT, parseWait)
    .action(async (project: string, options: GenerateOptions & { door: string }) => {
      const projectId = parseProjectId(project);
      const door = DOORS.find((known) => known === options.door);
      if (door === undefined) throw new AdorableError('InvalidInput', `${JSON.stringify(options.door)} is no door: choose one of ${DOORS.join(', ')}.`);
      await withRuntime(options, async ({ runtime }, output) => {
        await conclude(await runtime.startGeneration(projectId, door, waitOf(options)), output);
      });
    });
}

function parseWait(value: string): number {
  return value === '0' ? 0 : parseCount(value, { name: '--wait', max: 86_400 });
}

function waitOf({ wait }: GenerateOptions): { waitMs?: number } {
  return wait === undefined ? {} : { waitMs: wait * 1000 };
}

function printRevision(output: Output, revision: PlanRevision): void {
  output.line(`${String(revision.number)}  ${revision.id}  ${revision.status}  ${JSON.stringify(revision.message)}`);
  for (const task of revision.subtasks) output.line(`    ${task.feature}: ${task.title}  → ${task.appId ?? 'an app that does not exist yet'}`);
}

export function printProposal(output: Output, { revisionId, plan }: Proposal): void {
  output.line(`Plan ${revisionId}: ${plan.message}`);
  for (const feature of plan.features) {
    const made = feature.createsApp === undefined ? '' : `  creates app ${feature.createsApp.slug} (${feature.createsApp.kind})`;
    output.line(`  ${feature.title}  → ${feature.targetAppId}${made}  services: ${feature.services.join(', ')}`);
    for (const task of feature.subtasks) output.line(`    - ${task.title}`);
  }
}
