/**
 * One container's operating-system process: a group of its own, a uid of its own, output appended
 * straight to the pod's log file, stopped by SIGTERM, then SIGKILL to everything it started.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupAndDescendants, killTree, readProcess, signal } from './process-table.ts';

export interface ProcessSpec {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly logFile: string;
  readonly uid: number | undefined;
}

export interface Exit { readonly exitCode: number; readonly signal?: number }

export interface PodProcess {
  readonly pid: number;
  readonly startTime: string;
  /** Resolves when the leader ended and its whole group is gone. */
  readonly exited: Promise<Exit>;
  /** May be called again with a shorter grace. */
  stop(graceMs: number): void;
}

const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13, SIGTERM: 15 };

export async function startProcess(spec: ProcessSpec): Promise<PodProcess> {
  const [command, ...args] = spec.argv;
  const output = openSync(spec.logFile, 'a', 0o640);
  const child = spawn(command ?? '', args, {
    cwd: spec.cwd,
    env: spec.env,
    detached: true,
    stdio: ['ignore', output, output],
    ...(spec.uid === undefined ? {} : { uid: spec.uid, gid: spec.uid }),
  });
  closeSync(output);
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const pid = child.pid as number;
  const startTime = readProcess(pid)?.startTime ?? '';

  let killAt: NodeJS.Timeout | undefined;
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, name) => {
      clearTimeout(killAt);
      void clearGroup(pid).then(() => {
        const number = name ? SIGNALS[name] ?? 0 : undefined;
        resolve({ exitCode: number === undefined ? code ?? 0 : 128 + number, ...(number === undefined ? {} : { signal: number }) });
      });
    });
  });

  let stopping = false;
  return {
    pid,
    startTime,
    exited,
    stop: (graceMs) => {
      clearTimeout(killAt);
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (!stopping && graceMs > 0) signal(-pid, 'SIGTERM');
      stopping = true;
      if (graceMs <= 0) killTree(pid);
      else killAt = setTimeout(() => killTree(pid), graceMs);
    },
  };
}

/** What outlives its leader has no claim to live on; children get a moment to follow it. */
async function clearGroup(pgid: number): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    if (groupAndDescendants(pgid).length === 0) return;
    if (tries >= 5) killTree(pgid);
    await sleep(20);
  }
}
