/** Undo and redo of the data alone, as the restore workflow orders it: seal, fork, repoint, prove, and back (I1, I3). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDataActivities } from '../../activities/data/create-data-activities.ts';
import { appRole } from '../../activities/data/schemas.ts';
import type { AppId, CheckpointId, CommitSha, OperationId, TimelineId, TreeHash } from '../../shared/ids.ts';
import type { Lsn } from '../../shared/lsn.ts';
import { createTimelineWorld, newTimelineId, type Compute, type TimelineWorld } from '../unit/timeline/timeline-world.ts';

const app = 'a_8f2kq01mzt4c' as AppId;
let world: TimelineWorld;
let compute: Compute;
let data: ReturnType<typeof createDataActivities>;
let fence = 0;
const operation = () => ({ projectId: world.projectId, operationId: 'op_000000000001' as OperationId, fence });
const moment = (timelineId: TimelineId) => ({ checkpointId: 'cp_000000000001' as CheckpointId, commit: '' as CommitSha, tree: '' as TreeHash, tenantId: world.tenantId, timelineId });
const roles = [appRole(app, 'password', true)];

beforeAll(async () => {
  world = await createTimelineWorld();
  data = createDataActivities({
    timelines: world.client,
    computeAddress: () => Promise.resolve({ host: '127.0.0.1', port: compute.port }),
    adminPassword: () => Promise.resolve('admin-password'),
    computeRoles: () => Promise.resolve(roles),
    readMigrations: () => Promise.resolve([{ appId: app, revision: null, migrations: [{ name: '0001.sql', sql: 'CREATE TABLE entries (id serial PRIMARY KEY, note text)', checksum: '1' }] }]),
  });
}, 60_000);
afterAll(async () => { await world.close(); }, 30_000);

async function serve(timelineId: TimelineId): Promise<void> {
  fence += 1;
  await data.unsealTimeline({ ...operation(), tenantId: world.tenantId, timelineId });
  await data.repointCompute({ ...operation(), tenantId: world.tenantId, timelineId, logins: 'all' });
  compute = await world.startCompute({ timelineId, fence, roles });
  await data.convergeSchema({ ...operation(), moment: moment(timelineId) });
  await data.proveServing({ ...operation(), timelineId });
}

async function stopAndSeal(timelineId: TimelineId): Promise<Lsn> {
  expect(await compute.stop()).toBe(0);
  return (await data.sealTimeline({ ...operation(), tenantId: world.tenantId, timelineId })).lsn;
}

async function write(note: string): Promise<void> {
  const client = await compute.connect(app, 'password');
  await client.query('INSERT INTO entries (note) VALUES ($1)', [note]);
  await client.end();
}

test('data goes to a past moment and forward again, digest by digest, without losing an acknowledged row', async () => {
  const first = newTimelineId();
  await data.ensureTenant({ ...operation(), tenantId: world.tenantId, timelineId: first });
  await serve(first);
  await write('one');
  await write('two');
  const { lsn } = await data.emitCheckpointLsn({ ...operation(), checkpointId: 'cp_00000000000a' as CheckpointId, timelineId: first });
  await data.pinMoment({ ...operation(), tenantId: world.tenantId, timelineId: first, checkpointId: 'cp_00000000000a' as CheckpointId, lsn });
  const past = await data.dataDigest(operation());
  await write('three');
  const present = await data.dataDigest(operation());
  expect(present).not.toEqual(past);

  // Undo: the fork is ready before anything stops.
  const undone = newTimelineId();
  await data.forkBranch({ ...operation(), source: { ...moment(first), lsn, sealed: false }, newTimelineId: undone });
  const snapshot = await stopAndSeal(first);
  await serve(undone);
  expect(await data.dataDigest(operation())).toEqual(past);
  expect((await data.countRowsByTable(operation())).find((row) => row.table === `${app}.entries`)?.rows).toBe(2);
  await write('another future');

  // Redo: a clone of the sealed directory.
  const redone = newTimelineId();
  await data.forkBranch({ ...operation(), source: { ...moment(first), lsn: snapshot, sealed: true }, newTimelineId: redone });
  await stopAndSeal(undone);
  await serve(redone);
  expect(await data.dataDigest(operation())).toEqual(present);

  // And a restore that is unwound before its decision: the sealed timeline itself serves again.
  await stopAndSeal(redone);
  await serve(redone);
  await write('four');
  expect((await data.countRowsByTable(operation())).find((row) => row.table === `${app}.entries`)?.rows).toBe(4);
  expect(await compute.stop()).toBe(0);

  await data.unpinMoment({ ...operation(), tenantId: world.tenantId, timelineId: first, checkpointId: 'cp_00000000000a' as CheckpointId });
  await data.deleteTenant({ ...operation(), tenantId: world.tenantId });
  await data.deleteTenant({ ...operation(), tenantId: world.tenantId });
  await expect(world.client.listTimelines(world.tenantId)).rejects.toMatchObject({ type: 'NotFound' });
}, 60_000);
