/** The `adorable` command as a person types it, with its exit code and its JSON. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { checkout } from '../../local/engines/recipe.ts';

const run = promisify(execFile);

export interface CommandAnswer {
  readonly code: number;
  readonly json: Record<string, unknown>;
}

export async function adorable(data: string, ...args: readonly string[]): Promise<CommandAnswer> {
  const command = [join(checkout, 'cli', 'main.ts'), ...args, '--json', '--data', data];
  try {
    const { stdout } = await run(process.execPath, command, { env: { ...process.env, NODE_OPTIONS: '' } });
    return { code: 0, json: JSON.parse(stdout) as Record<string, unknown> };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, json: JSON.parse(stdout) as Record<string, unknown> };
  }
}
