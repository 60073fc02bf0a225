/**
 * Random sequences of generate, write, edit, undo, redo, restore, bookmark, with operations
 * cancelled, terminated, failed and bereft of their worker at random boundaries: after each step the
 * world is what a simple model says. A failure prints the shortest sequence that shows it and the
 * line that replays it (CONTRIBUTING).
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openInProcessBench } from '../support/in-process.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { Driver } from './model/driver.ts';
import { createFakeDriver } from './model/fake-driver.ts';
import { openRealDriver } from './model/real-driver.ts';
import { anySteps, walk } from './model/steps.ts';

const { ADORABLE_TEST_MODEL: where, ADORABLE_MODEL_SEED: seed, ADORABLE_MODEL_PATH: path, ADORABLE_MODEL_RUNS: runs, ADORABLE_MODEL_SHRINK: shrinks } = process.env;

interface Walks {
  readonly runs: number;
  readonly length: number;
}

/** What is wrong, with the line that shows it again; undefined when nothing is. */
async function explore(driver: Driver, walks: Walks): Promise<string | undefined> {
  const property = fc.asyncProperty(anySteps(driver, walks.length), (steps) => walk(driver, steps));
  const result = await fc.check(property, {
    numRuns: Number(runs ?? walks.runs), ...(seed === undefined ? {} : { seed: Number(seed) }), ...(path === undefined ? {} : { path }),
    // A walk over the real engines takes a minute: its failure is shrunk on request.
    endOnFailure: shrinks === undefined && (where === 'real' || path !== undefined),
  });
  if (!result.failed) return undefined;
  const error = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  return `${error}\nreplay: ${where === undefined ? '' : `ADORABLE_TEST_MODEL=${where} `}ADORABLE_MODEL_SEED=${String(result.seed)} ADORABLE_MODEL_PATH=${result.counterexamplePath ?? ''}`;
}

async function explored(driver: Driver, walks: Walks): Promise<void> {
  try {
    expect(await explore(driver, walks)).toBeUndefined();
  } finally {
    await driver.close();
  }
}

if (where === 'real') {
  test('over the real engines, the world is what the model says', async () => { await explored(await openRealDriver(), { runs: 3, length: 8 }); }, 3_600_000);
} else {
  describe('over the fake world, the world is what the model says', () => {
    test('in process', async () => { await explored(createFakeDriver(await openInProcessBench()), { runs: 150, length: 14 }); }, 600_000);
    test('on a Temporal server', async () => { await explored(createFakeDriver(await openWorkflowBench()), { runs: 4, length: 10 }); }, 600_000);
  });
}
