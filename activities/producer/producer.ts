/**
 * The producer: writes one app's tree from its feature's blueprint, and checks it before its commit.
 * It is told its app's own directory and writes nowhere else (I4, I10); a repeat writes the same bytes (I9).
 */
import { mkdir, realpath } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { sep } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import type { Blueprint } from '../../shared/architect/plan.ts';
import { planChange } from './apply-change.ts';
import { readBlueprint, readTemplate } from './blueprints.ts';
import { createSlots } from './check-slots.ts';
import { runCheck } from './run-check.ts';
import type { CheckInput, CheckOutcome, Contain } from './run-check.ts';
import { writeTemplate } from './write-template.ts';

/** What a failure carries through a history. */
const MAX_SHOWN = 10;
const MAX_MESSAGE = 400;

export interface ProducerDeps {
  readonly blueprintsDir: string;
  /** `runners/check/main.mjs`, where the checking uid can read it. */
  readonly checkRunner: string;
  /** The pinned Node. */
  readonly node: string;
  /** The uid that a scratch directory's project checks under; undefined where there is only one user. */
  checkUid?(scratchDir: string): Promise<number | undefined>;
  /** How checks are contained; undefined where they cannot be. */
  readonly contain?: Contain | undefined;
  /** Called every few seconds while a check runs. */
  heartbeat?(): void;
  /** The running activity's: a check ends with it, also one that waits for its turn. */
  signal?(): AbortSignal;
}

export interface ProduceInput {
  readonly feature: { readonly id: string; readonly blueprint: string; readonly change?: string | null };
  readonly appSlug: string;
  readonly appName: string;
  /** The app's own directory, `<scratch>/apps/<slug>`. */
  readonly intoDir: string;
}

export interface Producer {
  canMend(): boolean;
  produce(input: ProduceInput): Promise<{ files: number }>;
  check(input: { scratchDir: string; slug: string; attempt?: number }): Promise<CheckOutcome>;
}

export function createProducer(deps: ProducerDeps): Producer {
  const inSlot = createSlots(availableParallelism());
  return {
    // The same blueprint would write the same bytes again.
    canMend: () => false,

    async produce({ feature, appSlug, appName, intoDir }) {
      const blueprint = await readBlueprint(deps.blueprintsDir, feature.blueprint);
      const change = changeOf(blueprint, feature.change ?? null);
      await mkdir(intoDir, { recursive: true });
      const root = await realpath(intoDir);
      if (!root.endsWith(`${sep}apps${sep}${appSlug}`)) {
        throw new AdorableError('IsolationViolated', `The directory of ${appSlug} is not apps/${appSlug}: nothing was written.`);
      }
      const files = change === null
        ? await readTemplate(deps.blueprintsDir, blueprint.id)
        : await planChange({ blueprintsDir: deps.blueprintsDir, blueprint: blueprint.id, change, root, slug: appSlug });
      await writeTemplate(root, files, appName);
      return { files: files.length };
    },

    async check({ scratchDir, slug, attempt = 1 }) {
      const signal = deps.signal?.();
      const uid = await deps.checkUid?.(scratchDir);
      const input: CheckInput = {
        node: deps.node,
        runner: deps.checkRunner,
        scratchDir,
        slug,
        uid,
        contain: deps.contain,
        signal,
        heartbeat: () => deps.heartbeat?.(),
      };
      const outcome = await inSlot(signal, () => runCheck(input));
      if (!outcome.ok) throw toFailure({ slug, attempt }, outcome);
      return outcome;
    },
  };
}

function changeOf(blueprint: Blueprint, wish: string | null): string | null {
  if (wish === null || blueprint.changes.some(({ id }) => id === wish)) return wish;
  throw new AdorableError('NoBlueprint', `The blueprint ${blueprint.id} has no change ${JSON.stringify(wish.slice(0, 60))}.`);
}

function toFailure({ slug, attempt }: { slug: string; attempt: number }, { errors }: CheckOutcome): AdorableError {
  const [first] = [...errors.filter(({ kind }) => kind === 'isolation'), ...errors];
  const where = first ? `${first.file}:${String(first.line)}: ${first.message}` : 'no reason was given';
  const more = errors.length > 1 ? ` (and ${String(errors.length - 1)} more)` : '';
  const leaves = errors.some((error) => error.kind === 'isolation');
  const tries = attempt > 1 ? ` in attempt ${String(attempt)}` : '';
  return new AdorableError(
    leaves ? 'IsolationViolated' : 'BuildFailed',
    `${leaves ? 'The tree of' : 'The checks of'} ${slug} ${leaves ? 'reaches outside itself' : 'failed'}${tries}: ${where}${more}`,
    { details: { slug, attempt, errors: errors.slice(0, MAX_SHOWN).map((error) => ({ ...error, message: error.message.slice(0, MAX_MESSAGE) })) } },
  );
}
