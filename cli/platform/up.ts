/**
 * Brings the platform up, or finds it up: engines are obtained one after the other, then a detached
 * supervisor takes over. Two at once are safe: one supervisor wins, both calls watch it.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AdorableError, isFailureType } from '../../shared/errors.ts';
import { obtain, obtained } from '../../local/engines/obtain.ts';
import type { EngineName } from '../../local/engines/obtain.ts';
import { checkout } from '../../local/engines/recipe.ts';
import { dataDir, layout } from '../../local/paths.ts';
import type { Platform } from '../../local/platform.ts';
import { control } from '../../local/supervisor/control.ts';
import type { ControlEvent } from '../../local/supervisor/control.ts';
import { checkDataDirectory } from '../../local/supervisor/data-directory.ts';
import { rotateLog } from '../../local/supervisor/part.ts';
import { env } from './env.ts';
import type { PlatformEnv, PlatformOptions } from './env.ts';

export interface PlatformEvent {
  /** A part, `platform`, or `engine/<name>` while it is obtained. */
  readonly part: string;
  readonly state: string;
  readonly ms?: number;
  readonly detail?: string;
}

export type PlatformProgress = (event: PlatformEvent) => void;

export interface UpOptions extends PlatformOptions {
  /** Engines that are otherwise obtained when a project first needs them. */
  readonly with?: readonly 'directus'[] | undefined;
  readonly gatewayPort?: number | undefined;
  readonly temporalPort?: number | undefined;
  readonly temporalUiPort?: number | undefined;
}

export interface UpResult {
  readonly state: 'started' | 'already-up';
  readonly ms: number;
  readonly env: PlatformEnv;
}

/** Time for a supervisor that was just spawned to open its socket. */
const SOCKET_TIMEOUT_MS = 20_000;

export async function up(options: UpOptions, progress: PlatformProgress = () => undefined): Promise<UpResult> {
  const began = Date.now();
  const data = dataDir(options.data);
  checkDataDirectory(data);
  const done = (state: UpResult['state']): UpResult => ({ state, ms: Date.now() - began, env: env({ data }) });
  if (options.with?.includes('directus')) await obtainEngine('directus', progress);
  if (await watch(data, progress)) return done('already-up');
  const engines: Platform['engines'] = {
    node: await obtainEngine('node', progress),
    postgres: await obtainEngine('postgres', progress),
    kube: await obtainEngine('kube', progress),
    temporal: await obtainEngine('temporal', progress),
    ...await containIfPossible(progress),
    ...directusIfThere(),
  };
  const exited = spawnSupervisor(data, engines, options);
  const deadline = Date.now() + SOCKET_TIMEOUT_MS;
  while (!(await watch(data, progress))) {
    // One that lost the race against another `up` ends at once: that one's socket is waited for.
    if (Date.now() > deadline || (exited() && Date.now() > deadline - SOCKET_TIMEOUT_MS + 5_000)) throw notStarted(data);
    await sleep(50);
  }
  return done('started');
}

async function obtainEngine(engine: EngineName, progress: PlatformProgress): Promise<string> {
  const began = Date.now();
  return await obtain(engine, ({ state, detail }) => progress({ part: `engine/${engine}`, state, ms: Date.now() - began, detail }));
}

/** Without it the platform comes up all the same; `status` and `doctor` say that nothing is contained. */
async function containIfPossible(progress: PlatformProgress): Promise<{ contain?: string }> {
  try {
    return { contain: await obtainEngine('contain', progress) };
  } catch (error) {
    progress({ part: 'engine/contain', state: 'skipped', detail: error instanceof Error ? error.message : String(error) });
    return {};
  }
}

function directusIfThere(): { directus?: string } {
  const directus = obtained('directus');
  return directus ? { directus } : {};
}

function spawnSupervisor(data: string, engines: Platform['engines'], options: UpOptions): () => boolean {
  const ports: Partial<Platform['ports']> = {
    ...(options.gatewayPort === undefined ? {} : { gateway: options.gatewayPort }),
    ...(options.temporalPort === undefined ? {} : { temporal: options.temporalPort }),
    ...(options.temporalUiPort === undefined ? {} : { temporalUi: options.temporalUiPort }),
  };
  const { logs } = layout(data);
  mkdirSync(logs, { recursive: true, mode: 0o711 });
  const file = join(logs, 'supervisor.log');
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0) rotateLog(file);
  const output = openSync(file, 'a', 0o640);
  const env = { ...process.env };
  // Set for a test runner or a debugger of the caller, not for a daemon.
  delete env['NODE_OPTIONS'];
  const child = spawn(
    engines.node,
    [
      '--disable-warning=ExperimentalWarning',
      join(checkout, 'local', 'supervisor', 'main.ts'),
      ...['--data', data, '--engines', JSON.stringify(engines), '--ports', JSON.stringify(ports)],
    ],
    { cwd: '/', env, detached: true, stdio: ['ignore', output, output] },
  );
  closeSync(output);
  let gone = false;
  child.once('exit', () => (gone = true));
  child.once('error', () => (gone = true));
  child.unref();
  return () => gone;
}

/** Follows a supervisor until its platform is ready; false when none listens. */
async function watch(data: string, progress: PlatformProgress): Promise<boolean> {
  let outcome: ControlEvent | undefined;
  try {
    await control(layout(data).socket, 'watch', (event, leave) => {
      progress(event);
      if (event.part !== 'platform' || outcome) return;
      outcome = event;
      leave();
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET') return false;
    throw error;
  }
  if (outcome?.state === 'ready') return true;
  if (outcome?.state === 'failed') throw failure(outcome);
  throw new AdorableError('NotRunning', `The platform in ${data} was stopped while it was starting: run \`adorable up\` again.`);
}

function failure(event: { readonly detail?: string }): AdorableError {
  const { type, message } = JSON.parse(event.detail ?? '{}') as { type?: unknown; message?: string };
  return new AdorableError(isFailureType(type) ? type : 'Unavailable', message ?? 'The platform did not start.');
}

function notStarted(data: string): AdorableError {
  const file = join(layout(data).logs, 'supervisor.log');
  const tail = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-2).join(' | ').slice(-400);
  return new AdorableError('Unavailable', `The supervisor did not start: see ${file}, which ends with: ${tail}`);
}
