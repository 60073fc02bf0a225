/** The `adorable` command: parses arguments, prints results, and turns failures into exit codes. */
import { Command } from 'commander';
import { AdorableError, exitCodeOf } from '../shared/errors.ts';
import { down } from './platform/down.ts';
import { env } from './platform/env.ts';
import { status } from './platform/status.ts';
import { up } from './platform/up.ts';
import type { PlatformProgress } from './platform/up.ts';

interface Common {
  readonly data?: string;
  readonly json?: boolean;
}

const program = new Command('adorable').description('Undo for the whole stack: code, data and live infrastructure.');
const command = (name: string, description: string) =>
  program.command(name).description(description).option('--data <dir>', 'data directory').option('--json', 'machine-readable output');

const progress: PlatformProgress = (event) => {
  process.stderr.write(`${event.part.padEnd(26)}${event.state.padEnd(12)}${event.ms === undefined ? '' : `${event.ms} ms`.padStart(9)}  ${event.detail ?? ''}\n`);
};

function print(result: unknown): void {
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
}

command('up', 'start the embedded platform')
  .option('--with <engines...>', 'obtain optional engines too (directus)')
  .option('--gateway-port <port>', 'refused when taken', Number)
  .option('--temporal-port <port>', 'refused when taken', Number)
  .option('--temporal-ui-port <port>', 'refused when taken', Number)
  .action(async (options: Common & Parameters<typeof up>[0]) => print(await up(options, progress)));
command('down', 'stop it').action(async (options: Common) => print(await down(options, progress)));
command('status', 'what runs and answers').action(async (options: Common) => print(await status(options)));
command('env', 'addresses for outside tools')
  .option('--secrets', 'with the database password')
  .action((options: Common & { secrets?: boolean }) => print(env(options)));

try {
  await program.parseAsync();
} catch (error) {
  const { type, message } = error instanceof AdorableError ? error : { type: 'Unclassified', message: String(error) };
  process.stderr.write(`${message}\n`);
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { type, message } })}\n`);
  process.exitCode = exitCodeOf(type);
}
