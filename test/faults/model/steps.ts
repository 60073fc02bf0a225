/**
 * Random steps and how they are walked: each names what it wants by number, and what that is follows
 * from the model when its turn comes, so that any part of a sequence is a sequence, and shrinks.
 */
import fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { operationCheckpointId } from '../../../shared/derive.ts';
import type { RestoreMode } from '../../../shared/moment.ts';
import type { Driver, Operation, Session, Trouble } from './driver.ts';
import { Model } from './model.ts';

export type Step =
  | { readonly does: 'write'; readonly app: number }
  | { readonly does: 'edit' }
  | { readonly does: 'generate'; readonly create: number; readonly change: number; readonly migrates: boolean; readonly troubles: readonly Trouble[] }
  | { readonly does: 'undo' | 'redo' | 'bookmark'; readonly troubles: readonly Trouble[] }
  | { readonly does: 'restore'; readonly moment: number; readonly mode: RestoreMode; readonly acceptDrift: boolean; readonly troubles: readonly Trouble[] }
  | { readonly does: 'before'; readonly app: number; readonly mode: RestoreMode; readonly troubles: readonly Trouble[] };

const number = fc.nat({ max: 99 });

export function anySteps({ troubles: kinds }: Driver, length: number): fc.Arbitrary<Step[]> {
  const trouble = fc.record({ what: fc.constantFrom(...kinds), at: fc.nat({ max: 40 }) });
  // Most operations are left in peace; some are struck again while they turn back.
  const troubles = fc.oneof({ weight: 3, arbitrary: fc.constant<Trouble[]>([]) }, { weight: 2, arbitrary: fc.array(trouble, { minLength: 1, maxLength: 2 }) });
  const mode = fc.constantFrom<RestoreMode>('all', 'all', 'data', 'code');
  return fc.array(fc.oneof(
    { weight: 2, arbitrary: fc.record({ does: fc.constant('write' as const), app: number }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('edit' as const) }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('generate' as const), create: number, change: number, migrates: fc.boolean(), troubles }) },
    { weight: 8, arbitrary: fc.record({ does: fc.constantFrom('undo' as const, 'redo' as const), troubles }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('bookmark' as const), troubles }) },
    { weight: 3, arbitrary: fc.record({ does: fc.constant('restore' as const), moment: number, mode, acceptDrift: fc.boolean(), troubles }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('before' as const), app: number, mode, troubles }) },
  ), { minLength: 1, maxLength: length, size: 'max' });
}

/** Walks the steps in a new project; throws at the first step after which the world is not what the model says. */
export async function walk(driver: Driver, steps: readonly Step[]): Promise<void> {
  const session = await driver.open();
  try {
    await takeAll(new Walker(driver, session, new Model(operationCheckpointId(session.first, 'target'))), steps);
  } catch (error) {
    // Its project may be past closing: what broke it is what counts.
    await session.close().catch(() => undefined);
    throw error;
  }
  await session.close();
}

async function takeAll(walker: Walker, steps: readonly Step[]): Promise<void> {
  const told: string[] = [];
  for (const step of steps) {
    try {
      told.push(await walker.take(step));
    } catch (error) {
      throw new Error(`${[...told, `→ ${JSON.stringify(step)}`].join('\n')}\n${(error as Error).message}`, { cause: error });
    }
  }
}

class Walker {
  readonly #driver: Driver;
  readonly #session: Session;
  readonly #model: Model;
  #rows = 0;
  #notes = 0;

  constructor(driver: Driver, session: Session, model: Model) {
    this.#driver = driver;
    this.#session = session;
    this.#model = model;
  }

  /** What was done and what came of it, in words. */
  async take(step: Step): Promise<string> {
    if (step.does === 'edit') {
      this.#notes += 1;
      const note = `note ${String(this.#notes)}\n`;
      await this.#session.edit(note);
      this.#model.edit(note);
      return `edit ${note.trim()}`;
    }
    if (step.does === 'write') {
      const slug = pick(this.#model.slugs.filter((each) => this.#driver.writable.has(each)), step.app);
      if (slug === undefined) return 'nothing to write to';
      this.#rows += 1;
      await this.#session.write(slug, this.#rows);
      this.#model.write(slug, this.#rows);
      return `row ${String(this.#rows)} to ${slug}`;
    }
    const operation = this.#operation(step);
    return operation === undefined ? 'nothing to generate' : await this.#perform(operation, step.troubles);
  }

  #operation(step: Exclude<Step, { does: 'write' | 'edit' }>): Operation | undefined {
    const { slugs, moments } = this.#model;
    switch (step.does) {
      case 'undo': case 'redo': return { kind: 'restore', target: step.does, mode: 'all', acceptDrift: false };
      case 'bookmark': return { kind: 'bookmark' };
      case 'restore': return { kind: 'restore', target: pick(moments, step.moment)?.id ?? '', mode: step.mode, acceptDrift: step.acceptDrift };
      case 'before': return { kind: 'restore', target: `before:${pick(this.#driver.slugs, step.app) ?? ''}`, mode: step.mode, acceptDrift: false };
      case 'generate': {
        const created = pick([...this.#driver.slugs.filter((slug) => !slugs.includes(slug)), undefined], step.create);
        const changed = this.#driver.changesApps ? pick([...slugs, undefined], step.change) : undefined;
        const changes = changed === undefined ? [] : [{ slug: changed, migrates: step.migrates }];
        return created === undefined && changes.length === 0 ? undefined : { kind: 'generate', creates: created === undefined ? [] : [created], changes };
      }
    }
  }

  async #perform(operation: Operation, troubles: readonly Trouble[]): Promise<string> {
    const refusal = this.#model.refusal(operation);
    const forward = { generate: 'generated', restore: 'restored', bookmark: 'recorded' }[operation.kind];
    const done = await this.#session.perform(operation, troubles);
    const told = `${tell(operation)}${troubles.map(({ what, at }) => `, ${what} at ${String(at)}`).join('')}: ${done.outcome}${done.failure === undefined ? '' : ` (${done.failure})`}`;
    // A killed worker changes nothing but the time it takes; the other troubles may turn a run back.
    const allowed = refusal !== undefined ? ['unchanged'] : troubles.every(({ what }) => what === 'kill the worker') ? [forward] : [forward, 'unchanged'];
    if (!allowed.includes(done.outcome)) throw new Error(`${told}, not ${allowed.join(' or ')}${refusal === undefined ? '' : ` (${refusal})`}`);
    if (refusal !== undefined && troubles.length === 0 && done.failure !== refusal) throw new Error(`${told}: it should be refused as ${refusal}`);
    if (done.outcome === forward) this.#model.apply(operation, { target: operationCheckpointId(done.operationId, 'target'), snapshot: operationCheckpointId(done.operationId, operation.kind === 'generate' ? 'pre-generation' : 'pre-restore') });
    const [expected, found] = [this.#model.sight(), await this.#session.look()];
    if (!isDeepStrictEqual(found, expected)) throw new Error(`${told}\nfound ${JSON.stringify(found)}\n  not ${JSON.stringify(expected)}`);
    const problems = await this.#session.problems();
    if (problems.length > 0) throw new Error(`${told}\n${problems.join('\n')}`);
    return told;
  }
}

function tell(operation: Operation): string {
  if (operation.kind === 'bookmark') return 'bookmark';
  if (operation.kind === 'restore') return `restore ${operation.target} (${operation.mode}${operation.acceptDrift ? ', drift accepted' : ''})`;
  return ['generate', ...operation.creates, ...operation.changes.map(({ slug, migrates }) => `${slug} anew${migrates ? ' with a migration' : ''}`)].join(' ');
}

const pick = <T>(list: readonly T[], wish: number): T | undefined => list[wish % Math.max(list.length, 1)];
