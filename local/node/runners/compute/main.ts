/**
 * The compute runner: PostgreSQL on one timeline's directory. It attaches (a sealed timeline, a
 * live holder or a newer fence refuse it), re-asserts roles from the current secrets, only then
 * lets anybody in, follows the endpoint's `logins`, and stops cleanly, because a seal reads the
 * end of the WAL from a cleanly stopped directory (I1, I3).
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ADMIN, assertRolesSql, type ComputeRole } from './assert-roles.ts';
import { writeAccess, writeConfig } from './compute-config.ts';
import { makeHotBase } from './hot-base.ts';
import { connectWire, type WireConnection } from './postgres-wire.ts';
import { stopPostgres } from './stop-postgres.ts';
import { createTimelineLink, Refused, type Attached, type EndpointConfig } from './timeline-link.ts';

const POLL_MS = 300;
const SERVER_PATIENCE_MS = 20_000;
const BASE_LOOK_MS = 2000;
/** A reload and the end of every other session take milliseconds: past this, PostgreSQL or one of its backends hangs. */
const OBEY_MS = 8000;
const CHECKPOINT_MS = 10_000;

const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Refused(`InvalidInput: the compute needs ${name} in its environment`);
  return value;
};

class Hangs extends Error {}

const log = (level: string, message: string, fields: Record<string, unknown> = {}) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);
};

let stopping = false;
let requestStop: () => void = () => undefined;
const stopRequested = new Promise<void>((resolve) => { requestStop = resolve; });
let postgres: ChildProcess | undefined;
let exited: Promise<number | null> = Promise.resolve(0);

for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => { stopping = true; requestStop(); });

async function run(): Promise<void> {
  // Of a run before this one in the same container: nobody is let in yet.
  rmSync(join(env('SCRATCH'), 'ready'), { force: true });
  const timelineId = env('TIMELINE_ID');
  const port = Number(process.env['PORT'] ?? '5432');
  const compute = process.env['POD_NAME'] ?? process.env['HOSTNAME'] ?? `compute-${String(process.pid)}`;
  const link = createTimelineLink({ server: env('TIMELINE_SERVER'), token: env('TIMELINE_TOKEN'), tenantId: env('TENANT_ID'), timelineId, compute });
  const roles = JSON.parse(process.env['ROLES_JSON'] ?? process.env['roles.json'] ?? '[]') as ComputeRole[];

  let endpoint = await patiently(() => link.readEndpoint());
  // The endpoint that names this timeline says which fence it is served under.
  const ownFence = Number(process.env['FENCE'] ?? '0');
  const fence = endpoint?.timeline_id === timelineId ? Math.max(endpoint.fence, ownFence) : ownFence;
  const attached = await patiently(() => link.attach(fence));
  let hangs = false;
  try {
    const folder = privateFolder(port, statSync(attached.pgdata).uid);
    writeConfig({ folder, pgdata: attached.pgdata, walArchive: attached.walArchive, listen: env('POD_IP'), port });
    await start(attached.pgdata, folder);
    const connect = () => connectWire(join(folder, `.s.PGSQL.${String(port)}`), ADMIN, 'app');
    const wire = await connect();
    await wire.query(assertRolesSql(roles, process.env['ADMIN_PASSWORD']));
    let logins: EndpointConfig['logins'] = endpoint?.logins ?? (process.env['LOGINS'] === 'admin' ? 'admin' : 'all');
    await enforce(wire, folder, logins);
    writeFileSync(join(env('SCRATCH'), 'ready'), logins);
    if (endpoint) await patiently(() => link.reportLogins(logins));
    log('info', 'serving', { ready: true, timelineId, pgTimelineId: attached.pgTimelineId, logins });

    const keepBases = createBaseKeeper({ attached, connect, record: link.recordBase });
    let reported = true;
    const nextEndpoint = (): Promise<void> => link.nextEndpoint(endpoint).then((next) => { endpoint = next ?? endpoint; }, () => sleep(POLL_MS));
    let change = nextEndpoint();
    for (let ended = false; !stopping && !ended; ) {
      const event = await Promise.race([exited.then(() => 'ended'), stopRequested.then(() => 'stop'), change.then(() => 'change'), sleep(POLL_MS, 'tick')]);
      ended = event === 'ended';
      if (ended || stopping) break;
      if (event === 'change') change = nextEndpoint();
      // A configuration for another timeline is another compute's; this one will be replaced.
      const wanted = endpoint?.timeline_id === timelineId ? endpoint.logins : logins;
      if (wanted !== logins) {
        await enforce(wire, folder, wanted);
        logins = wanted;
        reported = false;
        log('info', 'logins changed', { logins });
      } else if (logins === 'admin') {
        await endOthers(wire);
      } else {
        await keepBases(wire);
      }
      if (!reported) reported = await link.reportLogins(logins).then(() => true, () => false);
    }
    if (!stopping) throw new Error('PostgreSQL ended by itself');
    // Writing dirty pages before the shutdown keeps the time in which nobody is served short.
    await Promise.race([wire.query('CHECKPOINT'), sleep(CHECKPOINT_MS, undefined, { ref: false })])
      .catch((error: unknown) => { log('warn', 'no checkpoint before the stop', { error: String(error) }); });
    wire.close();
  } catch (error) {
    hangs = error instanceof Hangs;
    throw error;
  } finally {
    const code = postgres === undefined ? 0 : await stopPostgres({ child: postgres, exited, hangs, warn: (message) => { log('warn', message); } });
    if (code !== 0) log('warn', 'PostgreSQL did not stop cleanly', { code });
    await link.detach().catch((error: unknown) => { log('warn', 'could not detach', { error: String(error) }); });
  }
}

/** Now and then looks whether much WAL has followed the last base, and makes another beside the serving. */
function createBaseKeeper({ attached, connect, record }: { attached: Attached; connect: () => Promise<WireConnection>; record(base: { folder: string; lsn: string }): Promise<void> }) {
  let last = attached.lastBaseLsn;
  let nextLook = Date.now() + BASE_LOOK_MS;
  const abort = new AbortController();
  void stopRequested.then(() => { abort.abort(); });
  return async (wire: WireConnection): Promise<void> => {
    if (Date.now() < nextLook) return;
    nextLook = Infinity;
    const [row] = await wire.query(`SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '${last}') > greatest(${String(attached.baseAfterBytes)}, pg_database_size('app') / 4)`);
    if (row?.[0] !== 't') {
      nextLook = Date.now() + BASE_LOOK_MS;
      return;
    }
    void makeHotBase({ pgdata: attached.pgdata, bases: attached.bases, connect, signal: abort.signal })
      .then(async (base) => {
        await record(base);
        last = base.lsn;
        log('info', 'made another base', base);
      })
      .catch((error: unknown) => { if (!stopping) log('warn', 'could not make another base', { error: String(error) }); })
      .finally(() => { nextLook = Date.now() + BASE_LOOK_MS; });
  };
}

/** Socket paths hold about 100 characters: a scratch directory may be too deep for one. */
function privateFolder(port: number, owner: number): string {
  const scratch = join(env('SCRATCH'), 'postgres');
  let folder = scratch;
  if (join(scratch, `.s.PGSQL.${String(port)}`).length < 104) {
    rmSync(scratch, { recursive: true, force: true });
    mkdirSync(scratch, { recursive: true, mode: 0o700 });
  } else {
    folder = mkdtempSync('/tmp/adorable-pg-'); // TMPDIR is the scratch directory itself.
    process.on('exit', () => { rmSync(folder, { recursive: true, force: true }); });
  }
  chmodSync(folder, 0o700);
  if (process.getuid?.() === 0) chownSync(folder, owner, owner);
  return folder;
}

async function start(pgdata: string, folder: string): Promise<void> {
  const owner = statSync(pgdata).uid;
  if (process.getuid?.() === 0) for (const name of readdirSync(folder)) chownSync(join(folder, name), owner, owner);
  const binary = [join(env('POSTGRES_BIN'), 'postgres'), join(env('POSTGRES_BIN'), 'bin', 'postgres')].find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
  if (!binary) throw new Error('There is no postgres in POSTGRES_BIN');
  const child = spawn(binary, ['-c', `config_file=${join(folder, 'postgresql.conf')}`], {
    // Its own group: a signal to the runner's group must not start another kind of shutdown.
    cwd: pgdata, detached: true, stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC', ADORABLE_INSTANCE: process.env['ADORABLE_INSTANCE'] ?? '' },
    ...(process.getuid?.() === 0 ? { uid: owner, gid: owner } : {}),
  });
  postgres = child;
  const closed = new Promise((resolve) => child.once('close', resolve));
  // A backend that hangs keeps the pipe of the log open: the postmaster's own end counts, its last words have a moment.
  exited = new Promise((resolve) => {
    child.once('error', () => { resolve(1); }).once('exit', (code) => { void Promise.race([closed, sleep(500)]).then(() => { resolve(code); }); });
  });
  await new Promise<void>((resolve, reject) => {
    let rest = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        log('info', line, { part: 'postgres' });
        if (line.includes('database system is ready to accept connections')) resolve();
      }
    });
    void exited.then((code) => { reject(new Error(`PostgreSQL ended with ${String(code)} while starting`)); });
  });
}

/** In effect when it returns; a PostgreSQL that does not obey is replaced, since nobody could be kept out of it. */
async function enforce(wire: WireConnection, folder: string, logins: EndpointConfig['logins']): Promise<void> {
  const obeyed = await Promise.race([putIntoEffect(wire, folder, logins).then(() => true), sleep(OBEY_MS, false, { ref: false })]);
  if (!obeyed) throw new Hangs(`PostgreSQL did not put logins=${logins} into effect within ${String(OBEY_MS / 1000)} s: it or one of its sessions hangs, and it is started again`);
}

async function putIntoEffect(wire: WireConnection, folder: string, logins: EndpointConfig['logins']): Promise<void> {
  writeAccess(folder, logins);
  const loaded = async () => (await wire.query('SELECT pg_conf_load_time()::text'))[0]?.[0];
  const before = await loaded();
  postgres?.kill('SIGHUP');
  while (await loaded() === before) await sleep(5);
  if (logins === 'admin') while (await endOthers(wire) > 0) await sleep(20);
}

/** Repeated while frozen: a login that was being checked during the reload appears only afterwards. */
async function endOthers(wire: WireConnection): Promise<number> {
  const ended = await wire.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND coalesce(usename <> '${ADMIN}' AND usename !~ '^adorable_migration_', true)`);
  return ended.length;
}

/** Tries again while the timeline server is away; a refusal is final. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const deadline = Date.now() + SERVER_PATIENCE_MS; ; ) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Refused || stopping || Date.now() > deadline) throw error;
      await sleep(250);
    }
  }
}

run().then(
  () => { process.exit(0); },
  (error: unknown) => {
    log('error', error instanceof Refused ? `refused: ${error.message}` : `failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exit(1);
  },
);
