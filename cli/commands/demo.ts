/** `demo`: the whole story on real engines, from nothing to redo, each step with its evidence. */
import type { Command } from 'commander';
import { openRuntime } from '../../client/open.ts';
import { dataDir } from '../../local/paths.ts';
import { exitCodeOf } from '../../shared/errors.ts';
import { addCommand, follow } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { createOutput } from '../output.ts';
import { down } from '../platform/down.ts';
import { env } from '../platform/env.ts';
import { status } from '../platform/status.ts';
import { up } from '../platform/up.ts';
import { tellStory } from '../story/tell.ts';
import type { Evidence, Teller } from '../story/tell.ts';
import { platformProgress, printEnv } from './platform.ts';
import { printPlan } from './restore.ts';

interface DemoOptions extends CommonOptions {
  readonly stop?: boolean;
}

export function demoCommand(program: Command): void {
  addCommand(program, 'demo', 'bring everything up and tell the story: two apps, undo, redo')
    .option('--stop', 'stop the platform at the end (always so without a terminal or with CI set)')
    .action(demo);
}

async function demo(options: DemoOptions): Promise<void> {
  const output = createOutput(options);
  const began = Date.now();
  const stop = options.stop === true || !process.stdout.isTTY || process.env['CI'] !== undefined;
  output.note('The story takes about 2 min once the engines are cached; compiling them first takes about 10 min.');

  const report = (step: string, ms: number, evidence: Evidence, ok = true): void => {
    if (output.json) output.line(JSON.stringify({ step, ms, ok, evidence }));
    else output.line(`${ok ? '✓' : '✗'} ${step} (${String(ms)} ms)${Object.entries(evidence).map(([key, value]) => `\n    ${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`).join('')}`);
  };
  const step = async (name: string, what: string, work: () => Promise<Evidence>): Promise<void> => {
    output.note(`\n▶ ${name}: ${what}`);
    const started = Date.now();
    try {
      const evidence = await work();
      report(name, Date.now() - started, evidence);
    } catch (error) {
      report(name, Date.now() - started, { error: error instanceof Error ? error.message : String(error) }, false);
      throw error;
    }
  };
  const teller: Teller = {
    step,
    follow: (started) => follow(started, output),
    plan: (plan) => { if (!output.json) printPlan(output, plan); },
  };

  try {
    await step('up', 'Temporal, Kubernetes, PostgreSQL, timelines, gateway, worker', async () => {
      const result = await up({ ...options, with: ['directus'] }, platformProgress(output));
      const { parts } = await status(options);
      return { state: result.state, parts: parts.filter((part) => part.state === 'ready').map((part) => part.part), temporalUi: result.env.temporalUi };
    });
    const open = await openRuntime(dataDir(options.data));
    const told = await tellStory(open, teller).finally(() => open.close());
    if (!stop) {
      output.line('\nThe platform stays up. Open in a browser:');
      for (const url of told.urls) output.line(`  ${url}`);
      output.line(`\nProject ${told.projectId}; \`adorable down\` stops the platform. For outside tools:`);
      printEnv(output, env(options));
    }
  } catch (error) {
    if (stop) await down(options);
    if (output.json) output.line(JSON.stringify({ story: 'failed', ms: Date.now() - began }));
    process.exitCode = exitCodeOf((error as { type?: unknown }).type);
    throw error;
  }
  if (stop) {
    await step('down', 'stop everything and leave no process', async () => {
      const { state, left } = await down(options, platformProgress(output));
      if (left.length > 0) throw new Error(`processes left: ${JSON.stringify(left)}`);
      return { state, left };
    });
  }
  output.result({ story: 'ok', ms: Date.now() - began }, () => { output.line(`\nThe story holds: ${String(Math.round((Date.now() - began) / 1000))} s.`); });
}
