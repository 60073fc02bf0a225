/** What every command shares: its options, an open client, a run that is watched to its outcome. */
import { createInterface } from 'node:readline/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { openRuntime } from '../client/open.ts';
import type { OpenRuntime } from '../client/open.ts';
import type { Started } from '../client/runtime.ts';
import { stuckText } from '../client/stuck.ts';
import { dataDir } from '../local/paths.ts';
import type { OperationOutcome } from '../shared/contract/operation.ts';
import { AdorableError, exitCodeOf } from '../shared/errors.ts';
import type { ProjectId } from '../shared/ids.ts';
import { clear, createOutput, progressPrinter } from './output.ts';
import type { Output } from './output.ts';

export interface CommonOptions {
  readonly data?: string;
  readonly json?: boolean;
  readonly stuckAfter?: number;
}

/** A command with the options that all of them take. */
export function addCommand(program: Command, nameAndArgs: string, description: string): Command {
  return program.command(nameAndArgs).description(description)
    .option('--data <dir>', 'data directory of the embedded platform (default: per user)')
    .option('--json', 'print one JSON document')
    .option('--stuck-after <seconds>', 'say so, with exit code 5 where a run is followed, when it retries one step for longer', parseSeconds);
}

export async function withRuntime(options: CommonOptions, work: (open: OpenRuntime, output: Output) => Promise<void>): Promise<void> {
  const open = await openRuntime(dataDir(options.data));
  try {
    await work(open, createOutput(options));
  } finally {
    await open.close();
  }
}

function parseSeconds(value: string): number {
  const seconds = Number(value);
  if (!Number.isFinite(seconds) || seconds <= 0) throw new AdorableError('InvalidInput', `${JSON.stringify(value)} is no number of seconds above 0.`);
  return seconds;
}

/** How often a followed run is asked what it is retrying: rarer than its progress, since it costs two calls. */
const STUCK_EVERY_MS = 2_000;

/** Leaves a followed run that is stuck: it goes on by itself, and whoever watched is told what is left. */
async function refuseStuck<T>(started: Started<T>, output: Output): Promise<void> {
  const stuck = await started.stuck(output.stuckAfterMs).catch(() => undefined);
  if (stuck === undefined) return;
  throw new AdorableError('Stuck', `Operation ${started.operationId} is stuck in ${stuckText(stuck)}. It goes on by itself; \`adorable resume ${started.projectId}\` makes it try at once.`, {
    details: { projectId: started.projectId, operationId: started.operationId, stuck },
  });
}

/** Watches a run to its outcome, or to where it is stuck. */
export async function follow<T>(started: Started<T>, output: Output): Promise<T> {
  const print = progressPrinter(output);
  let over = false;
  let asked = Date.now();
  // Errors are taken from `result` below; here only its end matters.
  const ended = started.result.then(() => { over = true; }, () => { over = true; });
  while (!over) {
    const progress = await started.progress();
    if (progress?.operationId === started.operationId) print(progress);
    await Promise.race([ended, sleep(250)]);
    if (over || Date.now() - asked < STUCK_EVERY_MS) continue;
    asked = Date.now();
    await refuseStuck(started, output);
  }
  const last = await started.progress();
  if (last?.operationId === started.operationId) print(last);
  clear(output);
  return await started.result;
}

/** Follows an operation, prints its outcome and sets the exit code: 6 for degraded, the failure's own when unchanged. */
export async function conclude(started: Started<OperationOutcome>, output: Output): Promise<OperationOutcome> {
  const outcome = await follow(started, output);
  const failed = outcome.outcome === 'unchanged' || outcome.outcome === 'failed-resumable';
  output.result({ projectId: started.projectId, ...outcome, ...(failed ? { error: { type: outcome.failure, message: outcome.message }, changed: false } : {}) }, () => {
    output.line(outcome.outcome === 'unchanged' ? `Nothing changed. ${outcome.message}` : outcome.message);
    for (const part of outcome.degraded) output.line(`  degraded: ${part.name}: ${part.reason}`);
  });
  process.exitCode = failed ? exitCodeOf(outcome.failure) : outcome.health === 'degraded' ? 6 : 0;
  return outcome;
}

/** A run that waits for a person is offered to be taken back: by the option, or on a terminal by a question. */
export async function clearWaiting({ runtime, temporal }: OpenRuntime, projectId: ProjectId, options: CommonOptions & { cancelWaiting?: boolean }): Promise<void> {
  // Asked of the run itself: a project that is archived, or is none, is for what comes next to refuse.
  const waiting = (await temporal.progress(projectId))?.waitingFor;
  if (waiting === undefined) return;
  const wanted = options.cancelWaiting === true || (isAskable(options) && await ask(`A generation waits for ${waiting}. Cancel it first?`));
  // Not wanted: whatever comes next is told that the project is busy, and with what.
  if (wanted) await runtime.cancelWaiting(projectId, 'something else was asked for');
}

/** Asks on a terminal; elsewhere refuses, because nobody can answer. */
export async function confirm(question: string, options: CommonOptions & { yes?: boolean }): Promise<boolean> {
  if (options.yes === true) return true;
  if (!isAskable(options)) throw new AdorableError('PreconditionFailed', 'This changes the project and nobody can be asked here: pass --yes. Nothing was changed.');
  return await ask(question);
}

function isAskable(options: CommonOptions): boolean {
  return process.stdin.isTTY && options.json !== true && process.env['CI'] === undefined;
}

async function ask(question: string): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
  } finally {
    prompt.close();
  }
}

/** A whole number from 1 to `max`, as an option's value. */
export function parseCount(value: string, { name, max }: { name: string; max: number }): number {
  const count = Number(value);
  if (!/^\d+$/.test(value) || count < 1 || count > max) throw new AdorableError('InvalidInput', `${name} is a whole number from 1 to ${String(max)}, not ${JSON.stringify(value)}.`);
  return count;
}
