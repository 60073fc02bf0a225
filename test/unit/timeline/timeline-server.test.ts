/** Forks, seals and attachments on real PostgreSQL: what is asserted is what the forks' rows say (I1, I2, I3). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lsn } from '../../../shared/lsn.ts';
import type { TimelineId } from '../../../shared/ids.ts';
import { endProcessesIn, processesIn } from '../../../local/timeline/postgres-process.ts';
import { createTimelineWorld, newTimelineId, type Compute, type TimelineWorld } from './timeline-world.ts';

let world: TimelineWorld;
const first = newTimelineId();

beforeAll(async () => {
  world = await createTimelineWorld();
  await world.client.ensureTenant(world.tenantId, world.projectId);
  await world.client.bootstrapTimeline(world.tenantId, first);
}, 60_000);
afterAll(async () => { await world.close(); }, 30_000);

const emit = async (compute: Compute, text = 'cp'): Promise<Lsn> => {
  const client = await compute.connect();
  const { rows } = await client.query<{ lsn: Lsn }>(`SELECT pg_logical_emit_message(true, 'adorable.checkpoint', $1)::text AS lsn`, [text]);
  await client.end();
  return rows[0]?.lsn ?? ('' as Lsn);
};

/** The numbers in table `n` of a timeline, read through a compute of its own. */
async function numbersOn(timelineId: TimelineId): Promise<number[]> {
  const compute = await world.startCompute({ timelineId });
  const client = await compute.connect();
  const { rows } = await client.query<{ i: number }>('SELECT i FROM n ORDER BY i');
  await client.end();
  expect(await compute.stop()).toBe(0);
  return rows.map((row) => row.i);
}

const fork = async (ancestor: TimelineId, lsn: Lsn, id = newTimelineId()) => {
  await world.client.branchTimeline(world.tenantId, id, { ancestor, lsn });
  return id;
};

function cloneable(folder: string): boolean {
  const probe = join(folder, 'probe');
  writeFileSync(probe, 'x');
  try {
    execFileSync('cp', ['--reflink=always', probe, `${probe}-clone`], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // The filesystem copies.
  }
}

describe('forks at an LSN', () => {
  test('holds exactly what was acknowledged before the LSN, under a concurrent writer, and siblings share nothing after it', async () => {
    const compute = await world.startCompute({ timelineId: first });
    const writer = await compute.connect();
    await writer.query('CREATE TABLE n (i int PRIMARY KEY)');
    let acknowledged = 0;
    let writing = true;
    const written = (async () => {
      while (writing) {
        await writer.query('INSERT INTO n VALUES ($1)', [acknowledged + 1]);
        acknowledged += 1;
      }
    })();
    const marks: { lsn: Lsn; before: number; after: number }[] = [];
    for (let round = 0; round < 3; round++) {
      await sleep(100);
      const before = acknowledged;
      const lsn = await emit(compute);
      marks.push({ lsn, before, after: acknowledged });
    }
    const running = await Promise.all(marks.map((mark) => fork(first, mark.lsn)));
    writing = false;
    await written;
    await writer.end();
    expect(await compute.stop()).toBe(0);

    for (const [index, id] of running.entries()) {
      const mark = marks[index];
      const numbers = await numbersOn(id);
      expect(numbers).toEqual(numbers.map((_, at) => at + 1));
      expect(numbers.length).toBeGreaterThanOrEqual(mark?.before ?? 0);
      // One insert may have been on its way when the message was written.
      expect(numbers.length).toBeLessThanOrEqual((mark?.after ?? 0) + 1);
      // The same moment, forked from the stopped source, is the same.
      expect(await numbersOn(await fork(first, mark?.lsn ?? ('' as Lsn)))).toEqual(numbers);
    }
  }, 120_000);

  test('a fork of a fork, and its sibling, each see their own writes only', async () => {
    const { last_record_lsn: end } = await world.client.readTimeline(world.tenantId, first);
    const [a, b] = [await fork(first, end as Lsn), await fork(first, end as Lsn)];
    const lsns: Lsn[] = [];
    for (const [id, number] of [[a, 1_000_001], [b, 1_000_002]] as const) {
      const compute = await world.startCompute({ timelineId: id });
      const client = await compute.connect();
      await client.query('INSERT INTO n VALUES ($1)', [number]);
      lsns.push(await emit(compute));
      await client.query('INSERT INTO n VALUES ($1)', [number + 1000]);
      await client.end();
      await compute.stop();
    }
    const tip = async (id: TimelineId) => (await numbersOn(id)).filter((i) => i > 1_000_000);
    expect(await tip(await fork(a, lsns[0] as Lsn))).toEqual([1_000_001]);
    expect(await tip(await fork(b, lsns[1] as Lsn))).toEqual([1_000_002]);
    expect(await tip(a)).toEqual([1_000_001, 1_001_001]);
    const numbers = (await world.client.listTimelines(world.tenantId)).map((info) => info.pg_timeline_id);
    expect(new Set(numbers).size).toBe(numbers.length);
  }, 120_000);

  test('takes over the base of its source, and is whole when every source of it is deleted', async () => {
    const { last_record_lsn: end } = await world.client.readTimeline(world.tenantId, first);
    const folderOf = (id: TimelineId, ...names: string[]) => join(world.data, 'timelines', world.tenantId, id, ...names);
    const sources = [await fork(first, end as Lsn)];
    const wanted: number[] = [];
    // Each fork begins in the past of a running source: base, then WAL of every timeline before it.
    for (const number of [2_000_001, 2_000_002, 2_000_003]) {
      const source = sources.at(-1) as TimelineId;
      const compute = await world.startCompute({ timelineId: source });
      const client = await compute.connect();
      await client.query('INSERT INTO n VALUES ($1)', [number]);
      // Some segments are archived, the last one is not.
      await client.query(`CREATE TABLE IF NOT EXISTS filler (t text)`);
      await client.query(`INSERT INTO filler SELECT repeat('x', 500) FROM generate_series(1, 2000)`);
      wanted.push(number);
      const lsn = await emit(compute);
      await client.query('INSERT INTO n VALUES ($1)', [number + 1000]);
      sources.push(await fork(source, lsn));
      await client.end();
      expect(await compute.stop()).toBe(0);
    }
    const last = sources.pop() as TimelineId;
    // The same files under further names, where the filesystem does not clone; the rows are what is asserted below.
    const base = statSync(folderOf(last, 'bases', 'base-0', 'PG_VERSION'));
    if (!cloneable(world.data)) expect(base.nlink).toBeGreaterThan(1);
    await expect(fork(last, end as Lsn)).rejects.toMatchObject({ type: 'Unreachable' });
    for (const id of sources) await world.client.deleteTimeline(world.tenantId, id);

    const compute = await world.startCompute({ timelineId: last });
    const lsn = await emit(compute);
    const past = await fork(last, lsn);
    expect(await compute.stop()).toBe(0);
    for (const id of [last, past]) expect((await numbersOn(id)).filter((i) => i > 2_000_000)).toEqual(wanted);
  }, 120_000);

  test('copies its base where the files of its source cannot be linked', async () => {
    const end = (await world.client.readTimeline(world.tenantId, first)).last_record_lsn as Lsn;
    const source = await fork(first, end);
    const folderOf = (id: TimelineId, ...names: string[]) => join(world.data, 'timelines', world.tenantId, id, ...names);
    // On another filesystem, which no hard link reaches.
    const elsewhere = mkdtempSync('/dev/shm/adorable-base-');
    chmodSync(elsewhere, 0o711);
    execFileSync('cp', ['-a', folderOf(source, 'bases', 'base-0'), elsewhere]);
    rmSync(folderOf(source, 'bases', 'base-0'), { recursive: true });
    symlinkSync(join(elsewhere, 'base-0'), folderOf(source, 'bases', 'base-0'));
    const copied = await fork(source, (await world.client.readTimeline(world.tenantId, source)).last_record_lsn as Lsn);
    rmSync(elsewhere, { recursive: true });
    await world.client.deleteTimeline(world.tenantId, source);
    expect(statSync(folderOf(copied, 'bases', 'base-0', 'PG_VERSION')).nlink).toBe(1);
    const compute = await world.startCompute({ timelineId: copied });
    const client = await compute.connect();
    await client.query('CREATE TABLE IF NOT EXISTS n (i int)');
    await client.query('INSERT INTO n VALUES (3000001)');
    const past = await fork(copied, await emit(compute));
    await client.end();
    expect(await compute.stop()).toBe(0);
    expect(await numbersOn(past)).toContain(3_000_001);
  }, 60_000);

  test('starts from a base made while the source was running and being written to', async () => {
    const id = await fork(first, (await world.client.readTimeline(world.tenantId, first)).last_record_lsn as Lsn);
    const compute = await world.startCompute({ timelineId: id });
    const client = await compute.connect();
    await client.query('CREATE TABLE bulk (i int, text text)');
    const early = await emit(compute);
    let rows = 0;
    while (!compute.output().includes('made another base')) {
      await client.query(`INSERT INTO bulk SELECT $1, repeat('x', 500) FROM generate_series(1, 1000)`, [rows]);
      await client.query('DROP TABLE IF EXISTS passing; CREATE TABLE passing AS SELECT 1 AS i');
      rows += 1000;
    }
    const late = await emit(compute);
    await client.query('DELETE FROM bulk');
    const count = async (at: Lsn) => {
      const timelineId = await fork(id, at);
      const past = await world.startCompute({ timelineId });
      const reader = await past.connect();
      const { rows: [row] } = await reader.query<{ n: number }>('SELECT count(*)::int AS n FROM bulk');
      await reader.end();
      await past.stop();
      return row?.n;
    };
    expect(await count(late)).toBe(rows);
    expect(await count(early)).toBe(0);
    expect(readdirSync(join(world.data, 'timelines', world.tenantId, id, 'bases')).length).toBeGreaterThan(1);
    await client.end();
    expect(await compute.stop()).toBe(0);
  }, 120_000);

  test('a prepared transaction belongs to its moment: it is there after a stop, a seal and a fork, with its locks, until its owner ends it', async () => {
    const id = await fork(first, (await world.client.readTimeline(world.tenantId, first)).last_record_lsn as Lsn);
    const compute = await world.startCompute({ timelineId: id });
    const client = await compute.connect();
    const prepare = async (gid: string, row: number) => {
      for (const sql of ['BEGIN', `INSERT INTO held VALUES (${String(row)})`, `PREPARE TRANSACTION '${gid}'`]) await client.query(sql);
    };
    await client.query('CREATE TABLE held (i int PRIMARY KEY)');
    const before = await emit(compute);
    await prepare('transfer', 1);
    const during = await emit(compute);
    await client.query(`COMMIT PREPARED 'transfer'`);
    const after = await emit(compute);
    await prepare('open', 2);
    await client.end();
    expect(await compute.stop()).toBe(0);
    const { lsn } = await world.client.seal(world.tenantId, id);
    const at = async (point: Lsn) => {
      const { tables, prepared } = await world.client.inspect(world.tenantId, id, point);
      return { rows: tables.find((table) => table.table === 'public.held')?.rows, prepared: prepared.map(({ gid, owner }) => [gid, owner]) };
    };
    expect(await at(before)).toEqual({ rows: 0, prepared: [] });
    expect(await at(during)).toEqual({ rows: 0, prepared: [['transfer', 'cloud_admin']] });
    expect(await at(after)).toEqual({ rows: 1, prepared: [] });

    const redone = await world.startCompute({ timelineId: await fork(id, lsn) });
    const reader = await redone.connect();
    await reader.query(`SET lock_timeout = '200ms'`);
    await expect(reader.query('INSERT INTO held VALUES (2)')).rejects.toMatchObject({ code: '55P03' });
    await reader.query(`COMMIT PREPARED 'open'`);
    expect((await reader.query('SELECT i FROM held ORDER BY i')).rows).toEqual([{ i: 1 }, { i: 2 }]);
    await reader.end();
    await redone.stop();
  }, 60_000);

  test('is made once per id, ancestor and LSN', async () => {
    const { last_record_lsn: end, min_readable_lsn: start } = await world.client.readTimeline(world.tenantId, first);
    const id = await fork(first, end as Lsn);
    await expect(fork(first, end as Lsn, id)).resolves.toBe(id);
    await expect(fork(first, start, id)).rejects.toMatchObject({ type: 'OwnershipConflict' });
    await expect(fork(first, '0/100' as Lsn)).rejects.toMatchObject({ type: 'Unreachable' });
    await expect(fork(first, 'FF/0' as Lsn)).rejects.toMatchObject({ type: 'Unreachable' });
    await expect(fork(newTimelineId(), end as Lsn)).rejects.toMatchObject({ type: 'NotFound' });
  }, 60_000);

  test('the server killed in mid-fork leaves nothing, and the same create then answers', async () => {
    const { last_record_lsn: end } = await world.client.readTimeline(world.tenantId, first);
    const before = await numbersOn(first);
    for (const delay of [5, 60, 120, 200]) {
      const id = newTimelineId();
      const lost = fork(first, end as Lsn, id).then(() => 'answered', () => 'lost');
      await sleep(delay);
      await world.killServer();
      await lost;
      await world.startServer();
      const folder = join(world.data, 'timelines', world.tenantId);
      expect(readdirSync(folder).filter((name) => name.includes('.making'))).toEqual([]);
      expect(processesIn(folder)).toEqual([]);
      expect(await numbersOn(await fork(first, end as Lsn, id))).toEqual(before);
      await world.client.deleteTimeline(world.tenantId, id);
    }
  }, 120_000);
});

describe('seals and attachments', () => {
  test('a sealed timeline refuses computes, answers the end of its WAL, and clones whole', async () => {
    const id = await fork(first, (await world.client.readTimeline(world.tenantId, first)).last_record_lsn as Lsn);
    const compute = await world.startCompute({ timelineId: id });
    await expect(world.client.seal(world.tenantId, id)).rejects.toMatchObject({ type: 'Contended' });
    await expect(world.client.deleteTimeline(world.tenantId, id)).rejects.toMatchObject({ type: 'Contended', details: { status: 412 } });
    const client = await compute.connect();
    await client.query('INSERT INTO n VALUES (2000000)');
    await client.end();
    await compute.stop();
    const { lsn } = await world.client.seal(world.tenantId, id);
    expect(await world.client.seal(world.tenantId, id)).toEqual({ sealed: true, lsn });
    const refused = await world.startCompute({ timelineId: id });
    expect(await refused.exited).toBe(1);
    expect(refused.output()).toContain(`is sealed at ${lsn}`);
    expect((await numbersOn(await fork(id, lsn))).at(-1)).toBe(2_000_000);
    await world.client.unseal(world.tenantId, id);
    expect((await numbersOn(id)).at(-1)).toBe(2_000_000);
  }, 60_000);

  test('one live compute at a time; a killed one is replaced, its PostgreSQL ended, nothing lost', async () => {
    const id = await fork(first, (await world.client.readTimeline(world.tenantId, first)).last_record_lsn as Lsn);
    const holder = await world.startCompute({ timelineId: id });
    const second = await world.startCompute({ timelineId: id });
    expect(await second.exited).toBe(1);
    expect(second.output()).toContain('is attached to');
    const client = await holder.connect();
    await client.query('INSERT INTO n VALUES (3000000)');
    holder.child.kill('SIGKILL');
    await holder.exited;
    expect((await numbersOn(id)).at(-1)).toBe(3_000_000);
    await client.end().catch(() => undefined);
  }, 60_000);

  test('a crash of compute and PostgreSQL together is recovered by the seal', async () => {
    const id = await fork(first, (await world.client.readTimeline(world.tenantId, first)).last_record_lsn as Lsn);
    const compute = await world.startCompute({ timelineId: id });
    const client = await compute.connect();
    await client.query('INSERT INTO n VALUES (4000000)');
    compute.child.kill('SIGSTOP');
    await endProcessesIn(join(world.data, 'timelines', world.tenantId, id), 0);
    compute.child.kill('SIGKILL');
    await compute.exited;
    const { lsn } = await world.client.seal(world.tenantId, id);
    expect((await numbersOn(await fork(id, lsn))).at(-1)).toBe(4_000_000);
    await client.end().catch(() => undefined);
  }, 60_000);

  test('an endpoint under a newer fence refuses older configurations, seals and computes', async () => {
    const id = await fork(first, (await world.client.readTimeline(world.tenantId, first)).last_record_lsn as Lsn);
    const config = { tenant_id: world.tenantId, timeline_id: id, logins: 'all' as const };
    await world.client.configureEndpoint(world.projectId, { ...config, fence: 7 });
    await expect(world.client.configureEndpoint(world.projectId, { ...config, fence: 6 })).rejects.toMatchObject({ type: 'StaleFence' });
    await expect(world.client.seal(world.tenantId, id, 6)).rejects.toMatchObject({ type: 'StaleFence' });
    const stale = await world.startCompute({ timelineId: first, fence: 6 });
    expect(await stale.exited).toBe(1);
    expect(stale.output()).toContain('StaleFence');
  }, 60_000);

  test('while logins are `admin`, nobody else is or gets in', async () => {
    const { timeline_id, fence } = await world.client.readEndpoint(world.projectId);
    const role = { name: 'a_000000000001', login: true, password: 'secret' };
    const compute = await world.startCompute({ timelineId: timeline_id, roles: [role] });
    const client = await compute.connect(role.name, role.password);
    const config = { tenant_id: world.tenantId, timeline_id, fence };
    await world.client.configureEndpoint(world.projectId, { ...config, logins: 'admin' });
    while ((await world.client.readEndpoint(world.projectId)).observed?.logins !== 'admin') await sleep(50);
    await expect(client.query('SELECT 1')).rejects.toThrow();
    await expect(compute.connect(role.name, role.password)).rejects.toThrow(/pg_hba/);
    await (await compute.connect()).end();
    await world.client.configureEndpoint(world.projectId, { ...config, logins: 'all' });
    while ((await world.client.readEndpoint(world.projectId)).observed?.logins !== 'all') await sleep(50);
    await (await compute.connect(role.name, role.password)).end();
    await compute.stop();
  }, 60_000);

  test('a backend that ignores its end, then a postmaster that ignores its stop: both are replaced, nobody stays in, nothing acknowledged is lost', async () => {
    const { timeline_id, fence } = await world.client.readEndpoint(world.projectId);
    const pgdata = join(world.data, 'timelines', world.tenantId, timeline_id, 'pgdata');
    const config = { tenant_id: world.tenantId, timeline_id, fence };
    const roles = [{ name: 'a_000000000001', login: true, password: 'secret' }];
    const hanging = await world.startCompute({ timelineId: timeline_id, roles });
    const client = await hanging.connect('a_000000000001', 'secret');
    const admin = await hanging.connect();
    await admin.query('INSERT INTO n VALUES (5000000)');
    const { rows: [session] } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    process.kill(session?.pid ?? 0, 'SIGSTOP');
    await world.client.configureEndpoint(world.projectId, { ...config, logins: 'admin' });
    expect(await hanging.exited).toBe(1);
    expect(hanging.output()).toContain('did not put logins=admin into effect');
    expect(processesIn(pgdata)).toEqual([]);

    const compute = await world.startCompute({ timelineId: timeline_id, roles });
    await expect(compute.connect('a_000000000001', 'secret')).rejects.toThrow(/pg_hba/);
    const again = await compute.connect();
    await again.query('INSERT INTO n VALUES (5000001)');
    process.kill(Number(readFileSync(join(pgdata, 'postmaster.pid'), 'utf8').split('\n')[0]), 'SIGSTOP');
    expect(await compute.stop()).toBe(0);
    expect(compute.output()).toContain('ignores an immediate stop');
    await world.client.configureEndpoint(world.projectId, { ...config, logins: 'all' });
    await world.client.seal(world.tenantId, timeline_id);
    expect(processesIn(pgdata)).toEqual([]);
    await world.client.unseal(world.tenantId, timeline_id);
    expect((await numbersOn(timeline_id)).slice(-2)).toEqual([5_000_000, 5_000_001]);
  }, 90_000);

  test('pins keep a timeline from being deleted; a delete may be repeated', async () => {
    const id = await fork(first, (await world.client.readTimeline(world.tenantId, first)).last_record_lsn as Lsn);
    const lsn = (await world.client.readTimeline(world.tenantId, id)).last_record_lsn as Lsn;
    await world.client.pin(world.tenantId, id, { pin: 'cp_000000000001', lsn });
    await world.client.pin(world.tenantId, id, { pin: 'cp_000000000001', lsn });
    await expect(world.client.deleteTimeline(world.tenantId, id)).rejects.toMatchObject({ type: 'PreconditionFailed' });
    await world.client.unpin(world.tenantId, id, 'cp_000000000001');
    await world.client.deleteTimeline(world.tenantId, id);
    await world.client.deleteTimeline(world.tenantId, id);
    await expect(world.client.readTimeline(world.tenantId, id)).rejects.toMatchObject({ type: 'NotFound' });
  }, 60_000);
});
