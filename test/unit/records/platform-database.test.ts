/** The platform database going away in the middle of a transaction: the statement fails, the process lives on (I2). */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectPlatform } from '../../../activities/records/platform-database.ts';
import type { PlatformDatabase } from '../../../activities/records/platform-database.ts';
import { createTimelineWorld, newTimelineId, type Compute, type TimelineWorld } from '../timeline/timeline-world.ts';

let world: TimelineWorld;
let server: Compute;
let database: PlatformDatabase;

beforeAll(async () => {
  world = await createTimelineWorld();
  const timelineId = newTimelineId();
  await world.client.ensureTenant(world.tenantId, world.projectId);
  await world.client.bootstrapTimeline(world.tenantId, timelineId);
  await world.client.configureEndpoint(world.projectId, { tenant_id: world.tenantId, timeline_id: timelineId, fence: 1, logins: 'all' });
  server = await world.startCompute({ timelineId });
  database = connectPlatform(`postgresql://cloud_admin:admin-password@127.0.0.1:${String(server.port)}/app`);
}, 60_000);

afterAll(async () => {
  await database.end();
  await world.close();
}, 30_000);

test('a connection that dies between two statements fails the second one as unavailable, and the next transaction has another', async () => {
  const killed = database.transaction(async (session) => {
    const [mine] = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const other = await server.connect();
    await other.query('SELECT pg_terminate_backend($1, 5000)', [mine?.pid]);
    await other.end();
    await sleep(100); // The socket says so before anybody asks.
    await session.query('SELECT 1');
  });
  await expect(killed).rejects.toMatchObject({ type: 'Unavailable' });
  expect(await database.transaction(async (session) => await session.query('SELECT 1 AS one'))).toEqual([{ one: 1 }]);
});
