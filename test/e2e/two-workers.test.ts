/**
 * Two Temporal workers: one is stopped past its heartbeat in the middle of five restores, another
 * takes them back or finishes them, then the first goes on where it was. Each store that the fence
 * table of ARCHITECTURE.md lists as enforcing refuses its late write, and nothing changes (I2).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { layout } from '../../local/paths.ts';
import { CANCEL_RUN, projectWorkflowId } from '../../shared/contract/operation.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { parkRestores, PLACES, makeProject } from '../support/parked-restores.ts';
import type { Parked, Place } from '../support/parked-restores.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { readProjectStores } from '../support/project-reading.ts';
import type { ProjectReading } from '../support/project-reading.ts';
import { startSecondWorker } from '../support/second-worker.ts';
import type { SecondWorker } from '../support/second-worker.ts';
import { createStopping, pidOf, until } from '../support/stopped.ts';

interface Refusal { readonly message: string; readonly error: string; readonly type?: string }

const stopping = createStopping();
let platform: TestPlatform;
let connection: Connection;
let second: SecondWorker;
let parked: Parked;
const projects = {} as Record<Place, { projectId: ProjectId; first: string }>;
const outcomes = {} as Record<Place, OperationOutcome>;
const before = {} as Record<Place, ProjectReading>;
const after = {} as Record<Place, ProjectReading>;
const refusals = {} as Record<Place, Refusal>;

const each = async (work: (place: Place) => Promise<void>): Promise<void> => { await Promise.all(PLACES.map(work)); };
const read = (place: Place): Promise<ProjectReading> => readProjectStores(platform.open, projects[place].projectId);

/** How the activity that the stopped worker had in hand ended, in that worker's own log. */
function refusalAt(place: Place): Refusal | undefined {
  const lines = readFileSync(join(layout(platform.data).logs, 'worker.log'), 'utf8').trim().split('\n');
  const failed = lines.filter((line) => line.includes(projectWorkflowId(projects[place].projectId)) && line.includes(parked.attempts[place]));
  return failed[0] === undefined ? undefined : JSON.parse(failed[0]) as Refusal;
}

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  connection = await Connection.connect({ address: `127.0.0.1:${String(platform.open.platform.ports.temporal)}` });
  const { workflow } = new Client({ connection });
  await each(async (place) => { projects[place] = await makeProject(platform, place); });
  parked = await parkRestores(platform, projects, stopping);
  second = await startSecondWorker(platform.open.platform);
  await each(async (place) => {
    // Past or in its decision a restore completes; the others are taken back under a new fence.
    if (place !== 'timeline' && place !== 'transaction') await workflow.getHandle(projectWorkflowId(projects[place].projectId)).signal(CANCEL_RUN, { reason: 'its worker was stopped' });
    outcomes[place] = await parked.restores[place].result;
  });
  const redo = await platform.open.runtime.restore(projects.timeline.projectId, 'redo');
  expect(await redo.result).toMatchObject({ outcome: 'restored', health: 'healthy' });

  await each(async (place) => { before[place] = await read(place); });
  // Told by nobody that it was overtaken: only the stores can refuse it.
  const temporal = pidOf(platform.data, 'temporal');
  stopping.stop(temporal);
  stopping.go(parked.worker);
  await each(async (place) => { refusals[place] = await until(`the refusal at ${place}`, () => refusalAt(place)); });
  await each(async (place) => { after[place] = await read(place); });
  stopping.go(temporal);
}, 600_000);

afterAll(async () => {
  stopping.goAll();
  await second.stop();
  await connection.close();
  await platform.close();
}, 60_000);

describe('while one worker is stopped', () => {
  test.each(['rows', 'git', 'kubernetes'] as const)('the other takes a restore back that was under way at %s', (place) => {
    expect(outcomes[place]).toMatchObject({ outcome: 'unchanged', failure: 'Cancelled' });
  });

  test.each(['transaction', 'timeline'] as const)('the other finishes one that was let go on, in %s', (place) => {
    expect(outcomes[place]).toMatchObject({ outcome: 'restored', health: 'healthy', receipt: { ok: true } });
  });
});

describe('what the stopped worker still sends is refused by', () => {
  test.each([
    ['the platform rows: intents of a restore that was taken back', 'rows', 'StaleFence', /holds fence \d+, project \w+ is at \d+/],
    ['the platform database: a transaction that was left open is ended', 'transaction', 'Unavailable', /connection/i],
    ['git: a commit by a writer that lost its turn', 'git', 'StaleFence', /lost its turn|has seen \d+|newer operation owns/],
    ['the API server: the end of a compute that serves', 'kubernetes', 'StaleFence', /refused by the API server/],
    ['the timeline server: a compute pointed at a fork that was left', 'timeline', 'StaleFence', /Fence \d+ is older than \d+/],
  ] as const)('%s', (_what, place, type, message) => {
    expect(refusals[place]).toMatchObject({ type, error: expect.stringMatching(message) });
    expect(after[place]).toEqual(before[place]);
  });
});

test.each(PLACES)('every store of %s still holds its moment', async (place) => {
  expect((await platform.open.runtime.verify(projects[place].projectId)).differences).toEqual([]);
}, 60_000);
