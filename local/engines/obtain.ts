/**
 * Obtains one engine and answers where it is: PATH (exact version) → cache → official release →
 * build from the committed Go module. Each source that fails is reported in one line; when all
 * fail, the error names what was tried and the way that needs no network.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, readdirSync, rmSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { AdorableError } from '../../shared/errors.ts';
import { buildGoEngine } from './go-build.ts';
import { copyNode, copyPostgres, installDirectus } from './npm-engines.ts';
import { ENTRY, slotPath, VERSIONS } from './recipe.ts';
import type { EngineName, ReleasedEngineName } from './recipe.ts';
import { fetchRelease, releaseUrl } from './release.ts';
import type { Report } from './report.ts';
import { fillSlot, isFilled } from './slot.ts';

const run = promisify(execFile);

export type { EngineName } from './recipe.ts';
export type { EngineEvent, Report } from './report.ts';

/**
 * The engine's path: the binary for node, temporal, kube and contain; for postgres the directory with
 * `bin/`; for directus the directory with `node_modules/`.
 */
export async function obtain(engine: EngineName, report: Report = () => undefined): Promise<string> {
  if (engine === 'temporal') {
    const found = await temporalOnPath();
    if (found) {
      report({ state: 'ready', detail: `${found} (PATH)` });
      return found;
    }
  }
  const slot = { path: slotPath(engine), entry: ENTRY[engine] };
  if (!isFilled(slot)) {
    const failures: string[] = [];
    try {
      await fillSlot(slot, report, (dir) => build(engine, dir, report, failures));
    } catch (cause) {
      throw unavailable(engine, cause, failures);
    }
  }
  report({ state: 'ready', detail: slot.path });
  return engine === 'postgres' || engine === 'directus' ? slot.path : join(slot.path, slot.entry);
}

/** The engine's path when it needs no work, from wherever `obtain` would take it. */
export async function present(engine: EngineName): Promise<string | undefined> {
  return (engine === 'temporal' ? await temporalOnPath() : undefined) ?? obtained(engine);
}

/** The engine's path in the cache, for parts that must not download. */
export function obtained(engine: EngineName): string | undefined {
  const slot = { path: slotPath(engine), entry: ENTRY[engine] };
  if (!isFilled(slot)) return undefined;
  return engine === 'postgres' || engine === 'directus' ? slot.path : join(slot.path, slot.entry);
}

async function build(engine: EngineName, dir: string, report: Report, failures: string[]): Promise<string> {
  switch (engine) {
    case 'node':
      return await copyNode(dir);
    case 'postgres':
      return await copyPostgres(dir);
    case 'directus':
      report({ state: 'obtaining', detail: `Directus ${VERSIONS.directus} from the npm registry (860 MB, usually under a minute)` });
      return await installDirectus(dir, report);
    case 'contain':
      // Landlock and seccomp are Linux'; nobody publishes it, and a program of this name on PATH would be a stranger's.
      if (process.platform !== 'linux') throw new Error('processes are contained by Linux only');
      return await buildGoEngine(engine, dir, report);
    case 'temporal':
    case 'kube':
      return await releaseOrBuild(engine, dir, report, failures);
  }
}

async function releaseOrBuild(engine: ReleasedEngineName, dir: string, report: Report, failures: string[]): Promise<string> {
  // Kubernetes publishes server binaries for Linux only.
  if (engine === 'temporal' || process.platform === 'linux') {
    report({ state: 'obtaining', detail: `official release ${releaseUrl(engine)}` });
    try {
      return await fetchRelease(engine, dir, report);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures.push(reason);
      for (const entry of readdirSync(dir)) rmSync(join(dir, entry), { recursive: true });
      report({ state: 'skipped', detail: `official release: ${reason}` });
    }
  }
  return await buildGoEngine(engine, dir, report);
}

async function temporalOnPath(): Promise<string | undefined> {
  const path = onPath('temporal');
  if (!path) return undefined;
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 5_000 });
    return new RegExp(`\\bversion ${VERSIONS.temporal.replaceAll('.', '\\.')}\\b`).test(stdout) ? path : undefined;
  } catch {
    return undefined; // A broken binary on PATH is no reason to stop: the next source is tried.
  }
}

function onPath(command: string): string | undefined {
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(dir)) continue;
    const file = join(dir, command);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      continue; // Not in this directory.
    }
  }
  return undefined;
}

function unavailable(engine: EngineName, cause: unknown, failures: readonly string[]): AdorableError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const tried = [...failures, reason].join('; ');
  const target = join(slotPath(engine), ENTRY[engine]);
  const offline = engine === 'temporal' ? `put temporal ${VERSIONS.temporal} on PATH or at ${target}` : `put it at ${target}`;
  return new AdorableError('EngineUnavailable', `Cannot obtain ${engine}: ${tried}. Without a network, ${offline}.`, {
    cause,
    details: { engine, slot: target },
  });
}
