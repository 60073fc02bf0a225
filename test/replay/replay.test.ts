/**
 * Every recorded history still fits the workflow code of today: a run that was open when a worker is
 * replaced goes on in the new one. A change that does not fit fails here first, and not in a run.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import type { WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('./histories/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length)).sort();
let workflowBundle: WorkflowBundleWithSourceMap;

interface RecordedEvent {
  readonly startChildWorkflowExecutionInitiatedEventAttributes?: { readonly workflowId: string };
  readonly activityTaskScheduledEventAttributes?: { readonly activityType: { name: string } };
}

function read(name: string): { events: RecordedEvent[] } {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')) as { events: RecordedEvent[] };
}

/** Children are named after their parent, which a history does not name itself. */
function workflowIdOf({ events }: { events: RecordedEvent[] }): string {
  const child = events.find((event) => event.startChildWorkflowExecutionInitiatedEventAttributes !== undefined)?.startChildWorkflowExecutionInitiatedEventAttributes;
  return child === undefined ? 'project/recorded' : child.workflowId.split('/').slice(0, 2).join('/');
}

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
  workflowBundle = await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('../../workflows/index.ts', import.meta.url)), logger: new DefaultLogger('ERROR') });
});
afterAll(async () => { await Runtime.instance().shutdown(); });

describe('recorded histories', () => {
  test.each(names)('%s is replayed', async (name) => {
    const history = read(name);
    await Worker.runReplayHistory({ workflowBundle, replayName: name }, history, workflowIdOf(history));
  });

  test('an incompatible change is refused: a run that did another step in its place', async () => {
    const history = read('restored-all');
    const freeze = history.events.find((event) => event.activityTaskScheduledEventAttributes?.activityType.name === 'freeze');
    if (freeze?.activityTaskScheduledEventAttributes === undefined) throw new Error('the recorded restore has no freeze');
    freeze.activityTaskScheduledEventAttributes.activityType.name = 'open';
    await expect(Worker.runReplayHistory({ workflowBundle }, history, 'restored-all')).rejects.toThrow(DeterminismViolationError);
  });
});
