/** Starts the parts in the order of their needs, keeps them running, and stops them in reverse. */
import { errorFields, log } from '../log.ts';
import { layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import { clearPods } from './leftovers.ts';
import { Part } from './part.ts';
import type { PartState } from './part.ts';
import { dependentsOf, NEEDS } from './part-names.ts';
import type { PartName } from './part-names.ts';
import { partSpecs } from './part-specs.ts';

const START_TIMEOUT_MS = 90_000;

export interface SupervisorEvent {
  readonly part: PartName | 'platform';
  readonly state: PartState | 'failed';
  readonly ms: number;
  readonly detail?: string;
}

export class Supervisor {
  readonly #platform: Platform;
  readonly #parts = new Map<PartName, Part>();
  readonly #emit: (event: SupervisorEvent) => void;
  readonly #began = Date.now();
  #stopped: Promise<void> | undefined;

  constructor(platform: Platform, emit: (event: SupervisorEvent) => void) {
    this.#platform = platform;
    this.#emit = emit;
    for (const spec of partSpecs(platform)) {
      let since = Date.now();
      const changed = (state: PartState, detail?: string) => {
        // Counted from the last beginning of something: how long this start, or this stop, took.
        if (state === 'starting' || state === 'stopping') since = Date.now();
        emit({ part: spec.name, state, ms: Date.now() - since, ...(detail ? { detail } : {}) });
      };
      this.#parts.set(spec.name, new Part(spec, { platform, paths: layout(platform.dataDir), env: partEnvironment(platform, spec.name), changed }));
    }
  }

  /** Everything that does not need each other starts at the same time. */
  async start(): Promise<void> {
    const started = new Map<PartName, Promise<void>>();
    for (const name of this.#parts.keys()) {
      const needs = NEEDS[name].map((need) => started.get(need));
      const start = Promise.all(needs).then(async () => {
        try {
          await this.#parts.get(name)?.start(START_TIMEOUT_MS);
        } catch (error) {
          throw new Error(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
        }
      });
      start.catch((error: unknown) => log('error', 'start failed', { part: name, ...errorFields(error) }));
      started.set(name, start);
    }
    await Promise.all(started.values());
    if (this.#stopped) return;
    this.#emit({ part: 'platform', state: 'ready', ms: Date.now() - this.#began });
  }

  /** Repeats join the first. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const stopping = new Map<PartName, Promise<void>>();
    for (const name of [...this.#parts.keys()].reverse()) {
      const dependents = dependentsOf(name).map((dependent) => stopping.get(dependent));
      stopping.set(name, Promise.all(dependents).then(async () => {
        await this.#parts.get(name)?.stop();
        if (name === 'node') await clearPods(layout(this.#platform.dataDir));
      }));
    }
    await Promise.all(stopping.values());
  }
}

/** The supervisor's own environment, marked so that every descendant can be found; the model's key is the worker's alone (I7). */
export function partEnvironment(platform: Pick<Platform, 'instance' | 'dataDir'>, name: PartName): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, ADORABLE_INSTANCE: platform.instance, ADORABLE_DATA: platform.dataDir };
  delete env['NODE_OPTIONS'];
  if (name !== 'worker') delete env['ADORABLE_MODEL_KEY'];
  return env;
}
