/**
 * The timeline server: Neon's timeline API over real PostgreSQL 17, one directory, one WAL archive
 * and one PostgreSQL timeline number per branch (I1, I3). Started by the supervisor.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { errorFields, log } from '../log.ts';
import { dataDir, layout } from '../paths.ts';
import { readPlatform, readSecret } from '../platform.ts';
import { projectUid } from '../uids.ts';
import { createEndpoints } from './endpoints.ts';
import { createInspect } from './inspect.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { createTimelineServer } from './server.ts';
import { createStateStore } from './state.ts';
import { createLeases, createThrowAway } from './throw-away.ts';
import { createTimelines } from './timelines.ts';

const TIDY_EVERY_MS = 1000;

const { values } = parseArgs({ options: { data: { type: 'string' } } });
const data = dataDir(values.data);
const platform = readPlatform(data);
const engine = platform.engines.postgres;
const store = createStateStore(layout(data).timelines);
const binaries = existsSync(join(engine, 'bin', 'postgres')) ? join(engine, 'bin') : engine;
const uidOf = async (project: ProjectId): Promise<number | undefined> => await projectUid(data, project, 'compute');
const timelines = createTimelines({
  store,
  binaries,
  baseAfterBytes: Number(process.env['ADORABLE_BASE_AFTER_BYTES'] ?? 64 * 1024 * 1024),
  uidOf,
});
await timelines.tidy(true);

const withThrowAway = createThrowAway({ store, timelines, binaries, uidOf });
const server = createTimelineServer({
  store, timelines, endpoints: createEndpoints(store), inspect: createInspect(withThrowAway), leases: createLeases(withThrowAway), token: readSecret(data, 'timeline.token'),
});
server.listen(platform.ports.timeline, '127.0.0.1', () => { log('info', 'timeline server is ready', { ready: true, port: platform.ports.timeline }); });

let isTidying = false;
const tidying = setInterval(() => {
  if (isTidying) return;
  isTidying = true;
  timelines.tidy(false)
    .catch((error: unknown) => { log('warn', 'could not tidy timelines', errorFields(error)); })
    .finally(() => { isTidying = false; });
}, TIDY_EVERY_MS);

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => {
    clearInterval(tidying);
    server.close();
    // A fork in progress is made again after the restart: its caller repeats the call.
    setTimeout(() => process.exit(0), 1000);
  });
}
