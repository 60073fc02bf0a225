/** `doctor`: what this machine has and lacks for the embedded platform. */
import type { Command } from 'commander';
import { addCommand } from '../context.ts';
import type { CommonOptions } from '../context.ts';
import { createOutput } from '../output.ts';
import { doctor } from '../platform/doctor.ts';

const MARK = { ok: '✓', warning: '!', failed: '✗' } as const;

export function doctorCommand(program: Command): void {
  addCommand(program, 'doctor', 'what this machine has and lacks, and whether generated code is contained; changes nothing').action(async (options: CommonOptions) => {
    const output = createOutput(options);
    const result = await doctor(options);
    output.result(result, () => {
      for (const { check, state, detail, todo } of result.findings) output.line(`${MARK[state]} ${check.padEnd(26)} ${state.padEnd(7)} ${detail}${todo === undefined ? '' : ` → ${todo}`}`);
    });
    process.exitCode = result.ok ? 0 : 1;
  });
}
