/** `up`, `down`, `status`, `env`: the embedded platform. */
import type { Command } from 'commander';
import { stuckText } from '../../client/stuck.ts';
import { addCommand, parseCount } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import type { Containment } from '../../local/containment/containment.ts';
import { createOutput } from '../output.ts';
import type { Output } from '../output.ts';
import { down } from '../platform/down.ts';
import { env } from '../platform/env.ts';
import { operationsInProgress } from '../platform/operations.ts';
import { status } from '../platform/status.ts';
import { up } from '../platform/up.ts';
import type { PlatformProgress, UpOptions } from '../platform/up.ts';

export function platformProgress(output: Output): PlatformProgress {
  let last = '';
  return ({ part, state, ms, detail }) => {
    const text = `  ${part.padEnd(26)} ${state.padEnd(10)}${ms === undefined ? '' : ` ${String(ms).padStart(6)} ms`}${detail === undefined ? '' : `  ${detail}`}`;
    if (text !== last) output.note(text);
    last = text;
  };
}

export function platformCommands(program: Command): void {
  addCommand(program, 'up', 'start the embedded platform: Temporal, Kubernetes, PostgreSQL, timelines, gateway, worker')
    .option('--with <engines...>', 'obtain optional engines too (directus)')
    .option('--gateway-port <port>', 'refused when taken', parsePort)
    .option('--temporal-port <port>', 'refused when taken', parsePort)
    .option('--temporal-ui-port <port>', 'refused when taken', parsePort)
    .action(async (options: CommonOptions & UpOptions) => {
      const output = createOutput(options);
      output.note('Starting the platform: about 10 s once the engines are cached, about 10 min when they are compiled first.');
      const result = await up(options, platformProgress(output));
      output.result(result, () => {
        output.line(`Platform ${result.state} in ${String(result.ms)} ms.`);
        printEnv(output, result.env);
      });
    });

  addCommand(program, 'down', 'stop everything of this data directory and leave no process').action(async (options: CommonOptions) => {
    const output = createOutput(options);
    const result = await down(options, platformProgress(output));
    output.result(result, () => { output.line(`Platform ${result.state} in ${String(result.ms)} ms.`); });
    if (result.left.length > 0) process.exitCode = 1;
  });

  addCommand(program, 'status', 'the truth about each part, read now').action(async (options: CommonOptions) => {
    const output = createOutput(options);
    const parts = await status(options);
    const operations = await operationsInProgress(parts, options.stuckAfter === undefined ? undefined : output.stuckAfterMs);
    const result = { ...parts, operations };
    output.result(result, () => {
      output.line(`Platform ${result.state} in ${result.dataDir}`);
      for (const part of result.parts) output.line(`  ${part.part.padEnd(26)} ${part.state.padEnd(8)} ${part.pid === undefined ? '' : `pid ${String(part.pid)}`} ${part.reason ?? ''}`.trimEnd());
      output.line(`  generated code             ${containmentText(result.containment)}`);
      for (const operation of operations) {
        output.line(`  ${operation.kind} ${operation.operationId} on ${operation.projectId}, ${operation.phase}, since ${operation.startedAt}`);
        if (operation.stuck !== undefined) output.line(`    stuck in ${stuckText(operation.stuck)}`);
      }
      for (const stray of result.strays) output.line(`  stray: pid ${String(stray.pid)} ${stray.command}`);
    });
    process.exitCode = result.state === 'up' ? 0 : 1;
  });

  addCommand(program, 'env', 'what outside tools need: KUBECONFIG, Temporal, SQL, gateway')
    .option('--secrets', 'with the database password')
    .action((options: CommonOptions & { secrets?: boolean }) => {
      const output = createOutput(options);
      const result = env(options);
      output.result(result, () => { printEnv(output, result); });
    });
}

export function printEnv(output: Output, values: ReturnType<typeof env>): void {
  for (const [name, value] of Object.entries(values)) output.line(`${name}=${String(value)}`);
}

export function containmentText({ uid, landlock, reason }: Containment): string {
  const means = [uid ? 'a user ID per project' : 'one user', ...(landlock === undefined ? [] : [`Landlock ABI ${String(landlock)}`])].join(', ');
  return reason === undefined ? `contained: ${means}` : `not contained: ${reason}`;
}

function parsePort(value: string): number {
  return parseCount(value, { name: 'A port', max: 65_535 });
}
