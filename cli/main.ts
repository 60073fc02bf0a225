/** The `adorable` command: parses arguments, runs one command, and turns failures into exit codes. */
import { Command, CommanderError } from 'commander';
import { AdorableError, exitCodeOf } from '../shared/errors.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { platformCommands } from './commands/platform.ts';
import { projectCommands } from './commands/project.ts';
import { restoreCommands } from './commands/restore.ts';
import { runsCommands } from './commands/runs.ts';
import { sweepCommands } from './commands/sweep.ts';

const program = new Command('adorable')
  .description('Undo for the whole stack: code, data and live infrastructure, back to one moment and forward again.')
  .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 usage, 3 refused (nothing changed), 4 busy, 5 stuck, 6 done but degraded.')
  .exitOverride();

platformCommands(program);
doctorCommand(program);
projectCommands(program);
restoreCommands(program);
runsCommands(program);
sweepCommands(program);
demoCommand(program);

const inherit = (command: Command): void => {
  for (const child of command.commands) {
    child.exitOverride();
    inherit(child);
  }
};
inherit(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
    if (error.exitCode !== 0 && process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { type: 'InvalidInput', message: error.message } })}\n`);
  } else {
    const { type, message } = error instanceof AdorableError ? error : { type: 'Unclassified', message: error instanceof Error ? error.message : String(error) };
    const details = error instanceof AdorableError ? error.details : {};
    if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { type, message, ...details } })}\n`);
    process.stderr.write(`${message}\n`);
    process.exitCode = exitCodeOf(type);
  }
}
