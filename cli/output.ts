/** What a command prints: one JSON document with `--json`, else lines for people. Progress goes to stderr. */
import type { Progress } from '../shared/contract/operation.ts';

export interface Output {
  readonly json: boolean;
  /** Colours and live progress: a terminal, and not CI. */
  readonly live: boolean;
  /** How long a followed run may retry one step before the command says so and ends. */
  readonly stuckAfterMs: number;
  line(text?: string): void;
  /** The result: `value` as JSON, or what `human` prints. */
  result(value: unknown, human: () => void): void;
  note(text: string): void;
}

const STUCK_AFTER_SECONDS = 120;

export function createOutput(options: { json?: boolean | undefined; stuckAfter?: number | undefined }): Output {
  const json = options.json ?? false;
  const live = !json && process.stderr.isTTY && process.env['CI'] === undefined;
  const line = (text = ''): void => { process.stdout.write(`${text}\n`); };
  return {
    json, live, line, stuckAfterMs: (options.stuckAfter ?? STUCK_AFTER_SECONDS) * 1000,
    result(value, human) {
      if (json) line(JSON.stringify(value));
      else human();
    },
    // Progress is for people whatever stdout is for.
    note(text) {
      process.stderr.write(`${text}\n`);
    },
  };
}

/** Prints each step once when it ends; on a terminal also the one that runs now. */
export function progressPrinter(output: Output): (progress: Progress) => void {
  const printed = new Set<number>();
  return (progress) => {
    if (output.json) return;
    for (const [index, step] of progress.steps.entries()) {
      // Steps that run side by side end in any order.
      if (step.endedAt === undefined || printed.has(index)) continue;
      printed.add(index);
      const ms = Date.parse(step.endedAt) - Date.parse(step.startedAt);
      clear(output);
      process.stderr.write(`  ${step.state === 'failed' ? '✗' : step.state === 'undone' ? '↶' : '✓'} ${step.name.padEnd(34)} ${String(ms).padStart(6)} ms${step.detail === undefined ? '' : `  ${step.detail}`}\n`);
    }
    const running = progress.steps.find((step) => step.endedAt === undefined);
    if (!output.live) return;
    clear(output);
    if (running !== undefined) process.stderr.write(`  … ${running.name}${progress.waitingFor === undefined ? '' : `, waiting for ${progress.waitingFor}`}`);
  };
}

export function clear(output: Output): void {
  if (output.live) process.stderr.write('\r\u001b[2K');
}

export function age(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 120) return `${String(seconds)} s`;
  if (seconds < 7200) return `${String(Math.round(seconds / 60))} min`;
  if (seconds < 172_800) return `${String(Math.round(seconds / 3600))} h`;
  return `${String(Math.round(seconds / 86_400))} d`;
}
