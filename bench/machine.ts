/** What the figures were measured on. */
import { execFile } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface MachineFacts {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly root: boolean;
}

export function machineFacts(): MachineFacts {
  const all = cpus();
  return {
    cores: all.length, cpu: all[0]?.model.trim() ?? 'unknown', memoryBytes: totalmem(),
    kernel: `${process.platform} ${release().split('-')[0] ?? ''}`, node: process.versions.node, root: process.getuid?.() === 0,
  };
}

export async function filesystemOf(path: string): Promise<string> {
  return (await run('df', ['--output=fstype', path])).stdout.trim().split('\n').at(-1) ?? 'unknown';
}
