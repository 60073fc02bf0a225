/** How long the timeline client waits: as long as a fork takes, and not at all for a server that hangs. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTimelineClient } from '../../../activities/data/timeline-client.ts';
import type { Lsn } from '../../../shared/lsn.ts';
import { createTimelineWorld, newTimelineId } from '../timeline/timeline-world.ts';
import type { TimelineWorld } from '../timeline/timeline-world.ts';

let world: TimelineWorld;
beforeAll(async () => {
  world = await createTimelineWorld();
  await world.client.ensureTenant(world.tenantId, world.projectId);
}, 60_000);
afterAll(async () => { await world.close(); }, 30_000);

test('a server that is stopped is named as hanging, for reads and for long work; continued, it answers the same call', async () => {
  const client = world.connect({ silenceMs: 200 });
  const first = newTimelineId();
  world.signalServer('SIGSTOP');
  const hangs = { type: 'Unavailable', message: expect.stringMatching(/hangs: it answers neither .* nor whether it lives/) as unknown };
  await Promise.all([
    expect(client.listTimelines(world.tenantId)).rejects.toMatchObject(hangs),
    expect(client.bootstrapTimeline(world.tenantId, first)).rejects.toMatchObject(hangs),
  ]);
  world.signalServer('SIGCONT');
  expect(await client.bootstrapTimeline(world.tenantId, first)).toMatchObject({ timeline_id: first });
  expect((await client.listTimelines(world.tenantId)).map((info) => info.timeline_id)).toEqual([first]);
}, 60_000);

test('a fork that takes many times the silence is waited for while the server says that it lives', async () => {
  const [ancestor, lsn] = [newTimelineId(), '0/1000' as Lsn];
  let asked = 0;
  const server = createServer((request, response) => {
    const answer = (body: object) => { response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body)); };
    if (request.url === '/v1/status') {
      asked += 1;
      answer({ id: 1 });
    } else void sleep(1_000).then(() => { answer({ ancestor_timeline_id: ancestor, ancestor_lsn: lsn }); });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const client = createTimelineClient({ url: `http://127.0.0.1:${String(port)}`, token: 't', silenceMs: 50 });
  await client.branchTimeline(world.tenantId, newTimelineId(), { ancestor, lsn });
  expect(asked).toBeGreaterThan(2);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
