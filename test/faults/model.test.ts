/**
 * Random sequences of generate, write, edit, undo, redo, restore, bookmark, with operations
 * cancelled, terminated, failed and bereft of their worker at random boundaries: after each step the
 * world is what a simple model says. A failure prints the shortest sequence that shows it and the
 * line that replays it (docs/testing.md).
 */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { openInProcessBench } from '../support/in-process.ts';
import { openWorkflowBench } from '../support/temporal.ts';
import type { Driver } from './model/driver.ts';
import { createFakeDriver, FIRST } from './model/fake-driver.ts';
import { anySteps, walk } from './model/steps.ts';

const { ADORABLE_MODEL_SEED: seed, ADORABLE_MODEL_PATH: path, ADORABLE_MODEL_RUNS: runs } = process.env;

interface Walks {
  readonly runs: number;
  readonly length: number;
}

/** What is wrong, with the line that shows it again; undefined when nothing is. */
async function explore(driver: Driver, walks: Walks): Promise<string | undefined> {
  const property = fc.asyncProperty(anySteps(driver, walks.length), (steps) => walk(driver, steps, FIRST));
  const result = await fc.check(property, {
    numRuns: Number(runs ?? walks.runs), ...(seed === undefined ? {} : { seed: Number(seed) }), ...(path === undefined ? {} : { path, endOnFailure: true }),
  });
  if (!result.failed) return undefined;
  const error = result.errorInstance instanceof Error ? result.errorInstance.message : String(result.errorInstance);
  return `${error}\nreplay: ADORABLE_MODEL_SEED=${String(result.seed)} ADORABLE_MODEL_PATH=${result.counterexamplePath ?? ''}`;
}

describe('over the fake world, the world is what the model says', () => {
  test.each([
    ['in process', openInProcessBench, { runs: 150, length: 14 }],
    ['on a Temporal server', openWorkflowBench, { runs: 4, length: 10 }],
  ] as const)('%s', async (_where, openBench, walks) => {
    const driver = createFakeDriver(await openBench());
    try {
      expect(await explore(driver, walks)).toBeUndefined();
    } finally {
      await driver.close();
    }
  }, 600_000);
});
