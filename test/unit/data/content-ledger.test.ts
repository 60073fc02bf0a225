/** The content ledger on a real compute: a seeded row is changed only while it is what was seeded, and all of it rewinds (I9). */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDataActivities } from '../../../activities/data/create-data-activities.ts';
import { appRole } from '../../../activities/data/schemas.ts';
import type { SeedFile } from '../../../activities/data/seed-content.ts';
import type { AppId, CheckpointId, CommitSha, OperationId, TimelineId, TreeHash } from '../../../shared/ids.ts';
import { parseSeeds } from '../../../shared/spec/seeds.ts';
import type { SeedRow } from '../../../shared/spec/seeds.ts';
import { createTimelineWorld, newTimelineId, type Compute, type TimelineWorld } from '../timeline/timeline-world.ts';

const app = 'a_8f2kq01mzt4c' as AppId;
const other = 'a_111111111111' as AppId;
const first = newTimelineId();
const SQL = `CREATE TABLE categories (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, colour text NOT NULL CHECK (colour <> 'wrong'), position int NOT NULL DEFAULT 0);
CREATE TABLE uses (category bigint REFERENCES categories (id));`;
let world: TimelineWorld;
let compute: Compute;
let serving: TimelineId = first;
let current: { revision: string; seeds: readonly SeedFile[] } = { revision: 'rev_000000000001', seeds: [] };
let data: ReturnType<typeof createDataActivities>;
let fenced: { projectId: TimelineWorld['projectId']; operationId: OperationId; fence: number };
const roles = [appRole(app, 'one', true)];

const moment = (timelineId: TimelineId) => ({ checkpointId: 'cp_000000000001' as CheckpointId, commit: '' as CommitSha, tree: '' as TreeHash, tenantId: world.tenantId, timelineId });

function file(rows: readonly SeedRow[], name = 'categories.json', table = 'categories'): SeedFile {
  const text = JSON.stringify({ table, key: ['name'], rows });
  return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
}

async function seed(revision: string, ...seeds: readonly SeedFile[]): Promise<readonly string[]> {
  current = { revision, seeds };
  return (await data.convergeSchema({ ...fenced, moment: moment(serving) })).applied;
}

async function rowsOf(text = `SELECT name, colour, position FROM ${app}.categories ORDER BY id`): Promise<Record<string, unknown>[]> {
  const admin = await compute.connect();
  try {
    return (await admin.query(text)).rows as Record<string, unknown>[];
  } finally {
    await admin.end();
  }
}

const ledger = () => rowsOf(`SELECT table_name, key, generation FROM adorable_meta.content_ledger WHERE key <> '' ORDER BY key`);
const colours = async () => Object.fromEntries((await rowsOf()).map(({ name, colour }) => [name, colour]));

beforeAll(async () => {
  world = await createTimelineWorld();
  data = createDataActivities({
    timelines: world.client,
    computeAddress: () => Promise.resolve({ host: '127.0.0.1', port: compute.port }),
    adminPassword: () => Promise.resolve('admin-password'),
    computeRoles: () => Promise.resolve(roles),
    readMigrations: () => Promise.resolve([{ appId: app, ...current, migrations: [{ name: '0001_init.sql', sql: SQL, checksum: 'one' }] }]),
  });
  fenced = { projectId: world.projectId, operationId: 'op_000000000001' as OperationId, fence: 1 };
  await data.ensureTenant({ ...fenced, tenantId: world.tenantId, timelineId: first });
  await data.repointCompute({ ...fenced, tenantId: world.tenantId, timelineId: first, logins: 'all' });
  compute = await world.startCompute({ timelineId: first, roles });
  await data.ensureAppSchema({ ...fenced, appId: other });
}, 60_000);
afterAll(async () => { await world.close(); }, 30_000);

const A = { name: 'a', colour: 'red', position: 1 };
const B = { name: 'b', colour: 'green', position: 2 };
const C = { name: 'c', colour: 'blue', position: 3 };
const D = { name: 'd', colour: 'grey', position: 4 };
const paint = (row: SeedRow, colour: string): SeedRow => ({ ...row, colour });

describe('a seeded table', () => {
  let before = '' as string;

  test('is filled once, each row in the ledger with its generation; a repeat touches nothing', async () => {
    expect(await seed('rev_000000000001', file([A, B, C]))).toEqual([`${app}/0001_init.sql`, `${app}/seeds/categories.json`]);
    expect(await rowsOf()).toEqual([A, B, C]);
    expect(await ledger()).toEqual(['a', 'b', 'c'].map((name) => ({ table_name: `${app}.categories`, key: `["${name}"]`, generation: 'rev_000000000001' })));
    const versions = await rowsOf(`SELECT xmin::text, name FROM ${app}.categories ORDER BY id`);
    expect(await seed('rev_000000000002', file([A, B, C]))).toEqual([]);
    expect(await rowsOf(`SELECT xmin::text, name FROM ${app}.categories ORDER BY id`)).toEqual(versions);
    ({ lsn: before } = await data.emitCheckpointLsn({ ...fenced, checkpointId: 'cp_000000000009' as CheckpointId, timelineId: first }));
  }, 30_000);

  test('is changed by a later generation only where no person was: changed, deleted and own rows stay', async () => {
    const person = await compute.connect(app, 'one');
    await person.query(`UPDATE categories SET colour = 'pink' WHERE name = 'b'`);
    await person.query(`DELETE FROM categories WHERE name = 'c'`);
    await person.query(`INSERT INTO categories (name, colour, position) VALUES ('d', 'mine', 9)`);
    await person.end();
    expect(await seed('rev_000000000003', file([paint(A, 'crimson'), paint(B, 'lime'), paint(C, 'navy'), D, { name: 'e', colour: 'white', position: 5 }]))).toEqual([`${app}/seeds/categories.json`]);
    expect(await colours()).toEqual({ a: 'crimson', b: 'pink', d: 'mine', e: 'white' });
    expect((await ledger()).map(({ key, generation }) => [key, generation])).toEqual([['["a"]', 'rev_000000000003'], ['["b"]', 'rev_000000000001'], ['["c"]', 'rev_000000000001'], ['["e"]', 'rev_000000000003']]);
  }, 30_000);

  test('a row that a person put back to what was seeded is the platform\'s again; one that is dropped from the seeds stays', async () => {
    const person = await compute.connect(app, 'one');
    await person.query(`UPDATE categories SET colour = 'green' WHERE name = 'b'`);
    await person.end();
    await seed('rev_000000000004', file([paint(B, 'olive')]));
    expect(await colours()).toEqual({ a: 'crimson', b: 'olive', d: 'mine', e: 'white' });
  }, 30_000);

  test('a column that came later is nobody\'s change', async () => {
    const admin = await compute.connect();
    await admin.query(`ALTER TABLE ${app}.categories ADD note text NOT NULL DEFAULT 'x'`);
    await admin.end();
    await seed('rev_000000000005', file([{ ...paint(B, 'teal'), note: 'y' }]));
    expect(await rowsOf(`SELECT colour, note FROM ${app}.categories WHERE name = 'b'`)).toEqual([{ colour: 'teal', note: 'y' }]);
  }, 30_000);

  test('is whole or as it was: a row that the table refuses takes the others back, and names its file', async () => {
    const was = await colours();
    const mark = await ledger();
    await expect(seed('rev_000000000006', file([paint(B, 'black'), { name: 'f', colour: 'wrong', position: 6 }]))).rejects.toMatchObject({
      type: 'InvalidInput', message: expect.stringContaining('seeds/categories.json'), details: { app, seeds: 'categories.json' },
    });
    await expect(seed('rev_000000000006', file([{ name: 'x' }], 'nothing.json', 'nothing'))).rejects.toMatchObject({ type: 'InvalidInput', message: expect.stringContaining('nothing.json') });
    expect(await colours()).toEqual(was);
    expect(await ledger()).toEqual(mark);
    expect(await rowsOf(`SELECT rolname FROM pg_roles WHERE rolname LIKE 'adorable_migration%'`)).toEqual([]);
  }, 30_000);

  test('rewinds with its ledger: on a branch of the past the same seeds apply as they did then', async () => {
    const past = newTimelineId();
    await data.forkBranch({ ...fenced, source: { ...moment(first), lsn: before as never, sealed: false }, newTimelineId: past });
    expect(await compute.stop()).toBe(0);
    await data.repointCompute({ ...fenced, fence: 2, tenantId: world.tenantId, timelineId: past, logins: 'all' });
    compute = await world.startCompute({ timelineId: past, fence: 2, roles });
    serving = past;
    expect(await colours()).toEqual({ a: 'red', b: 'green', c: 'blue' });
    expect(await seed('rev_000000000002', file([A, B, C]))).toEqual([]);
    await seed('rev_000000000007', file([paint(A, 'crimson'), paint(B, 'lime'), paint(C, 'navy')]));
    expect(await colours()).toEqual({ a: 'crimson', b: 'lime', c: 'navy' });
  }, 60_000);

  test('an app\'s own login, and a trigger that an app left, cannot write another app\'s ledger', async () => {
    const client = await compute.connect(app, 'one');
    await expect(client.query(`SELECT adorable_meta.record_content('${app}', 'categories', 'x', 'y', 'z')`)).rejects.toThrow(/permission denied/);
    await expect(client.query('SELECT * FROM adorable_meta.content_ledger')).rejects.toThrow(/permission denied/);
    await client.end();
    const admin = await compute.connect();
    await admin.query(`CREATE FUNCTION ${app}.steal() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM adorable_meta.record_content('${other}', 'categories', 'x', 'y', 'z'); RETURN NEW; END $$`);
    await admin.query(`CREATE TRIGGER steal BEFORE UPDATE ON ${app}.categories FOR EACH ROW EXECUTE FUNCTION ${app}.steal()`);
    await admin.end();
    await expect(seed('rev_000000000008', file([paint(A, 'black')]))).rejects.toMatchObject({ message: expect.stringContaining('only a seed of') });
    expect(await colours()).toMatchObject({ a: 'crimson' });
  }, 30_000);
});

describe('a seeds file', () => {
  test.each([
    ['no JSON', '{'], ['a list', '[]'], ['no table', '{"key":["name"],"rows":[]}'], ['SQL in a table', '{"table":"a; DROP TABLE b","key":["name"],"rows":[]}'],
    ['another schema', '{"table":"other.categories","key":["name"],"rows":[]}'], ['no key', '{"table":"t","key":[],"rows":[]}'],
    ['SQL in a column', `{"table":"t","key":["name"],"rows":[{"name":"a","x' OR '1":1}]}`], ['a key that a row lacks', '{"table":"t","key":["name"],"rows":[{"colour":"red"}]}'],
    ['rows of two shapes', '{"table":"t","key":["name"],"rows":[{"name":"a"},{"name":"b","colour":"red"}]}'], ['one key twice', '{"table":"t","key":["name"],"rows":[{"name":"a"},{"name":"a"}]}'],
    ['a value that is a list', '{"table":"t","key":["name"],"rows":[{"name":["a"]}]}'], ['a field that nobody knows', '{"table":"t","key":["name"],"rows":[],"sql":"DROP TABLE x"}'],
  ])('%s is refused', (_what, text) => {
    expect(() => parseSeeds(text, 'seeds/x.json')).toThrow(expect.objectContaining({ type: 'InvalidInput', message: expect.stringContaining('seeds/x.json') }));
  });
});
