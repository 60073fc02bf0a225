/** The data activities on a real compute: schemas, restricted migrations, roles from secrets, digests (I8, I9, I10). */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDataActivities } from '../../../activities/data/create-data-activities.ts';
import type { AppMigrations } from '../../../activities/data/data-deps.ts';
import type { Migration } from '../../../activities/data/migrations.ts';
import { appRole, serviceRole } from '../../../activities/data/schemas.ts';
import type { ComputeRole } from '../../../local/node/runners/compute/assert-roles.ts';
import type { AppId, CheckpointId, CommitSha, OperationId, TimelineId, TreeHash } from '../../../shared/ids.ts';
import { createTimelineWorld, newTimelineId, type Compute, type TimelineWorld } from '../timeline/timeline-world.ts';

const app = 'a_8f2kq01mzt4c' as AppId;
const other = 'a_111111111111' as AppId;
const first = newTimelineId();
let world: TimelineWorld;
let compute: Compute;
let roles: ComputeRole[] = [appRole(app, 'one', true), appRole(other, 'two', false), serviceRole('directus', 'three')];
let migrations: AppMigrations[] = [];

const migration = (name: string, sql: string): Migration => ({ name, sql, checksum: `sum of ${sql}` });
const forApp = (appId: AppId, ...list: Migration[]): AppMigrations => ({ appId, revision: 'rev_000000000001', migrations: list });

let data: ReturnType<typeof createDataActivities>;
let fenced: { projectId: TimelineWorld['projectId']; operationId: OperationId; fence: number };
const momentOn = (timelineId: TimelineId) => ({
  checkpointId: 'cp_000000000001' as CheckpointId, commit: '' as CommitSha, tree: '' as TreeHash, tenantId: world.tenantId, timelineId,
});
const converge = async (...list: AppMigrations[]) => {
  migrations = list;
  return (await data.convergeSchema({ ...fenced, moment: momentOn(first) })).applied;
};

beforeAll(async () => {
  world = await createTimelineWorld();
  data = createDataActivities({
    timelines: world.client,
    computeAddress: () => Promise.resolve({ host: '127.0.0.1', port: compute.port }),
    adminPassword: () => Promise.resolve('admin-password'),
    computeRoles: () => Promise.resolve(roles),
    readMigrations: () => Promise.resolve(migrations),
  });
  fenced = { projectId: world.projectId, operationId: 'op_000000000001' as OperationId, fence: 1 };
  for (let twice = 0; twice < 2; twice++) await data.ensureTenant({ ...fenced, tenantId: world.tenantId, timelineId: first });
  await data.repointCompute({ ...fenced, tenantId: world.tenantId, timelineId: first, logins: 'all' });
  compute = await world.startCompute({ timelineId: first, roles });
  for (let twice = 0; twice < 2; twice++) {
    await data.ensureAppSchema({ ...fenced, appId: app });
    await data.ensureAppSchema({ ...fenced, appId: other });
    await data.ensureServiceSchema({ ...fenced, serviceId: 'directus' });
  }
}, 60_000);
afterAll(async () => { await world.close(); }, 30_000);

const init = migration('0001_init.sql', 'CREATE TABLE transactions (id serial PRIMARY KEY, amount int NOT NULL); INSERT INTO transactions (amount) VALUES (5);');

describe('migrations', () => {
  test('run once, in the app\'s schema, owned by its owner, with a ledger row; a repeat does nothing', async () => {
    expect(await converge(forApp(app, init))).toEqual([`${app}/0001_init.sql`]);
    expect(await converge(forApp(app, init))).toEqual([]);
    const admin = await compute.connect();
    expect((await admin.query(`SELECT schemaname, tableowner FROM pg_tables WHERE tablename = 'transactions'`)).rows).toEqual([{ schemaname: app, tableowner: `${app}_owner` }]);
    expect((await admin.query(`SELECT rolname FROM pg_roles WHERE rolname LIKE 'adorable_migration%'`)).rows).toEqual([]);
    expect((await admin.query(`SELECT command FROM adorable_meta.ddl_log WHERE object = '${app}.transactions'`)).rows).toEqual([{ command: 'CREATE TABLE' }]);
    await admin.end();
    expect(await data.readMigrationLedger(fenced)).toEqual([{ app, name: init.name, checksum: init.checksum }]);
    expect(await data.readSchemaMarks(fenced)).toEqual(expect.arrayContaining([{ owner: app, name: init.name, checksum: init.checksum }, { owner: 'directus', name: 'its own schema', checksum: expect.stringMatching(/^\d+$/) }]));
  }, 30_000);

  test.each([
    ['become the superuser', 'RESET ROLE; SET ROLE cloud_admin', /permission denied to set role/],
    ['change the session\'s user', 'SET SESSION AUTHORIZATION cloud_admin', /permission denied to set session/],
    ['make roles', 'RESET ROLE; CREATE ROLE evil SUPERUSER', /permission denied to create role/],
    ['read another app', `SELECT * FROM ${other}.secrets`, /permission denied for schema/],
    ['make a schema', 'CREATE SCHEMA elsewhere', /permission denied for database/],
    ['write the ledger of another app', `SELECT adorable_meta.record_migration('${other}', 'x', 'y', 'z')`, /only a migration of/],
    ['end the transaction', 'CREATE TABLE half (i int); COMMIT', /transaction commands/],
    ['read a file', `CREATE TABLE half (line text); COPY half FROM '/etc/passwd'`, /permission denied to COPY/],
  ])('cannot %s, and leave nothing of the app\'s batch', async (_what, sql, message) => {
    const batch = [init, migration('0002_fine.sql', 'CREATE TABLE fine (i int)'), migration('0003_bad.sql', sql)];
    await expect(converge(forApp(app, ...batch))).rejects.toMatchObject({ details: { migration: '0003_bad.sql' }, message: expect.stringMatching(message) as unknown });
    const admin = await compute.connect();
    expect((await admin.query(`SELECT FROM pg_tables WHERE tablename IN ('fine', 'half')`)).rows).toEqual([]);
    expect((await admin.query(`SELECT FROM pg_roles WHERE rolname = 'evil' OR rolname LIKE 'adorable_migration%'`)).rows).toEqual([]);
    await admin.end();
  }, 30_000);

  test('what one makes after RESET ROLE still ends up the owner\'s', async () => {
    const list = [init, migration('0002_reset.sql', 'RESET ROLE; CREATE TABLE reset_made (i int)')];
    expect(await converge(forApp(app, ...list))).toHaveLength(1);
    const admin = await compute.connect();
    expect((await admin.query(`SELECT tableowner FROM pg_tables WHERE tablename = 'reset_made'`)).rows).toEqual([{ tableowner: `${app}_owner` }]);
    await admin.end();
  }, 30_000);

  test('one that was changed after it was applied is refused', async () => {
    await expect(converge(forApp(app, { ...init, checksum: 'another' }))).rejects.toMatchObject({ type: 'PreconditionFailed' });
  });
});

describe('a rehearsal of migrations', () => {
  const rehearse = async (list: AppMigrations[], created: readonly AppId[] = []) => {
    const { lsn } = await data.emitCheckpointLsn({ ...fenced, checkpointId: 'cp_000000000003' as CheckpointId, timelineId: first });
    migrations = list;
    return await data.rehearseMigrations({ ...fenced, moment: momentOn(first), at: { ...momentOn(first), lsn, sealed: false }, created });
  };
  const untouched = async (work: () => Promise<void>): Promise<void> => {
    const state = async () => [await data.schemaFingerprint(fenced), await data.dataDigest(fenced), await data.readMigrationLedger(fenced), (await world.client.listTimelines(world.tenantId)).length];
    const before = await state();
    await work();
    expect(await state()).toEqual(before);
  };
  const budgets = migration('0004_budgets.sql', 'ALTER TABLE transactions ADD COLUMN budget int; UPDATE transactions SET budget = amount');

  test('names what would change an existing schema, and changes nothing outside its throw-away fork', async () => {
    await untouched(async () => {
      expect(await rehearse([forApp(app, init, budgets)])).toEqual({ changes: [`${app}/0004_budgets.sql`] });
    });
  }, 30_000);

  test('one that fails on the rows that are there refuses with its name', async () => {
    await untouched(async () => {
      await expect(rehearse([forApp(app, init, migration('0004_strict.sql', 'ALTER TABLE transactions ADD CONSTRAINT big CHECK (amount > 100)'))])).rejects.toMatchObject({
        type: 'BuildFailed', message: expect.stringMatching(/^Rehearsed on a throw-away fork: Migration 0004_strict\.sql of .* violated by some row/) as unknown, details: { migration: '0004_strict.sql' },
      });
      await expect(rehearse([forApp(app, { ...init, checksum: 'another' })])).rejects.toMatchObject({ type: 'PreconditionFailed' });
    });
  }, 30_000);

  test('an app that is made now, and one that lacks nothing, change no existing schema', async () => {
    await untouched(async () => {
      expect(await rehearse([forApp(app, init), forApp(other, init)], [other])).toEqual({ changes: [] });
    });
  }, 30_000);

  test('seeds that would change rows which are there are a change too, rehearsed with the rest', async () => {
    const seeds = (amount: unknown) => [{ name: 'transactions.json', text: JSON.stringify({ table: 'transactions', key: ['id'], rows: [{ id: 1, amount }] }), checksum: `seeds ${String(amount)}` }];
    await untouched(async () => {
      expect(await rehearse([{ ...forApp(app, init), seeds: seeds(6) }])).toEqual({ changes: [`${app}/seeds/transactions.json`] });
      await expect(rehearse([{ ...forApp(app, init), seeds: seeds(null) }])).resolves.toEqual({ changes: [`${app}/seeds/transactions.json`] });
      await expect(rehearse([{ ...forApp(app, init, migration('0004_empty.sql', 'DELETE FROM transactions')), seeds: seeds(null) }])).rejects.toMatchObject({ type: 'BuildFailed', message: expect.stringMatching(/seeds\/transactions\.json of .*null value/) as unknown });
    });
  }, 60_000);

  test('a lease that nobody closes, or that is closed twice, leaves nothing', async () => {
    await untouched(async () => {
      const { lsn } = await data.emitCheckpointLsn({ ...fenced, checkpointId: 'cp_000000000004' as CheckpointId, timelineId: first });
      const { lease } = await world.client.openLease(world.tenantId, first, lsn);
      expect(await world.client.listTimelines(world.tenantId)).toHaveLength(2);
      for (let twice = 0; twice < 2; twice++) await world.client.closeLease(lease);
    });
  }, 30_000);
});

describe('roles', () => {
  test('an app\'s login touches rows of its own schema and nothing else; one that is not live cannot log in', async () => {
    const client = await compute.connect(app, 'one');
    await client.query('INSERT INTO transactions (amount) VALUES (7)');
    expect((await client.query('SELECT sum(amount)::int AS sum FROM transactions')).rows).toEqual([{ sum: 12 }]);
    await expect(client.query('DROP TABLE transactions')).rejects.toThrow(/owner/);
    await expect(client.query('CREATE TABLE x (i int)')).rejects.toThrow(/permission denied/);
    await expect(client.query('SELECT * FROM adorable_meta.migrations')).rejects.toThrow(/permission denied/);
    await client.end();
    await expect(compute.connect(other, 'two')).rejects.toThrow();
    await (await compute.connect('directus', 'three')).end();
  });

  test('follow the secrets while the compute runs, and when it starts on an older branch', async () => {
    const { lsn } = await data.emitCheckpointLsn({ ...fenced, checkpointId: 'cp_000000000002' as CheckpointId, timelineId: first });
    roles = [appRole(app, 'rotated', true)];
    await converge(forApp(app, init));
    await (await compute.connect(app, 'rotated')).end();
    await expect(compute.connect(app, 'one')).rejects.toMatchObject({ code: '28P01' });
    // No longer among the secrets: its password in the branch opens nothing.
    await expect(compute.connect('directus', 'three')).rejects.toThrow();

    const past = newTimelineId();
    await data.forkBranch({ ...fenced, source: { ...momentOn(first), lsn, sealed: false }, newTimelineId: past });
    expect(await compute.stop()).toBe(0);
    await data.repointCompute({ ...fenced, fence: 2, tenantId: world.tenantId, timelineId: past, logins: 'all' });
    compute = await world.startCompute({ timelineId: past, fence: 2, roles });
    await (await compute.connect(app, 'rotated')).end();
    await expect(compute.connect(app, 'one')).rejects.toMatchObject({ code: '28P01' });
    await expect(compute.connect('directus', 'three')).rejects.toThrow();

    const { pgTimelineId, proof } = await data.proveServing({ ...fenced, timelineId: past });
    expect(proof).toContain(lsn);
    expect(pgTimelineId).toBeGreaterThan(1);
    await expect(data.proveServing({ ...fenced, timelineId: first })).rejects.toMatchObject({ type: 'VerifyFailed' });
  }, 30_000);
});

describe('digests', () => {
  test('are equal for equal rows in any order, and differ by one value', async () => {
    const admin = await compute.connect();
    const digest = async () => (await data.dataDigest(fenced)).digest;
    const before = await digest();
    const schema = await data.schemaFingerprint(fenced);
    await admin.query(`UPDATE ${app}.transactions SET amount = amount`);
    expect(await digest()).toBe(before);
    await admin.query(`UPDATE ${app}.transactions SET amount = amount + 1 WHERE id = 1`);
    expect(await digest()).not.toBe(before);
    await admin.query(`UPDATE ${app}.transactions SET amount = amount - 1 WHERE id = 1`);
    expect(await digest()).toBe(before);
    expect(await data.schemaFingerprint(fenced)).toEqual(schema);
    await admin.query(`ALTER TABLE ${app}.transactions ADD note text`);
    expect(await data.schemaFingerprint(fenced)).not.toEqual(schema);
    expect(await data.countRowsByTable(fenced)).toContainEqual({ table: `${app}.transactions`, rows: 2 });
    await admin.end();
  });

  test('a dead operation makes no schema once a newer one has been at work, also where that found nothing to drop', async () => {
    const [late, dead] = ['a_00000000late' as AppId, fenced];
    fenced = { ...fenced, fence: fenced.fence + 1 };
    await data.dropAppSchema({ ...fenced, appId: late });
    await expect(data.ensureAppSchema({ ...dead, appId: late })).rejects.toMatchObject({ type: 'StaleFence' });
    await expect(data.dropAppSchema({ ...dead, appId: app })).rejects.toMatchObject({ type: 'StaleFence' });
    await data.dropServiceSchema({ ...fenced, serviceId: 'other-cms' });
    await expect(data.ensureServiceSchema({ ...dead, serviceId: 'other-cms' })).rejects.toMatchObject({ type: 'StaleFence' });
    const admin = await compute.connect();
    expect((await admin.query(`SELECT nspname FROM pg_namespace WHERE nspname IN ($1, $2, 'other_cms')`, [late, app])).rows).toEqual([{ nspname: app }]);
    await admin.end();
  });

  test('dropping a schema may be repeated and leaves no role', async () => {
    for (let twice = 0; twice < 2; twice++) {
      await data.dropAppSchema({ ...fenced, appId: app });
      await data.dropServiceSchema({ ...fenced, serviceId: 'directus' });
    }
    const admin = await compute.connect();
    expect((await admin.query(`SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1`)).rows.map((row) => (row as { rolname: string }).rolname)).toEqual([other, `${other}_owner`, 'cloud_admin']);
    expect((await admin.query(`SELECT FROM pg_namespace WHERE nspname IN ($1, 'directus')`, [app])).rows).toEqual([]);
    await admin.end();
  });
});
