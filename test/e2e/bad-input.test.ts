/**
 * Bad input, at the level of a whole restore on the real engines: what a person gets, and what the
 * stores hold afterwards. Where each case is:
 *
 *   case                              here, by the name of its test            and store by store
 *   target of another project         'refused: another project's…'            –
 *   unreachable target                'refused: a moment whose data or code…'  test/unit/timeline, test/unit/code/worktree
 *   malformed ids                     'refused: malformed ids'                 test/unit/code/repository
 *   dirty worktree, mid-merge,        'one restore meets' (plan, restore, redo) test/unit/code/worktree, killed
 *     stale index.lock
 *   Deployment edited by hand         'one restore meets'                      test/e2e/infra
 *   foreign object                    'one restore meets', 'refused: something  test/e2e/infra
 *                                       of others under a name…'
 *   long open transaction             'one restore meets'                      test/unit/timeline ('while logins are admin')
 *   prepared transactions             'one restore meets'                      test/unit/timeline
 *   immutable field                   'one restore meets' (Service, Deployment) test/e2e/infra
 *   namespace deleted by others       'the namespace is deleted…' (before, in the middle)  test/e2e/infra
 *   compute that does not stop        'PostgreSQL hangs'                       test/unit/timeline
 *   archived project, end left open   'a project that is archived…'            –
 *   timeline server that hangs        test/e2e/stuck                           test/unit/data/timeline-client
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import type { World } from '../../cli/story/world.ts';
import { readTimeline } from '../../client/reads.ts';
import type { Started } from '../../client/runtime.ts';
import { checkout } from '../../local/engines/recipe.ts';
import { connectKube } from '../../local/kube-client.ts';
import type { KubeClient } from '../../local/kube-client.ts';
import { kubeconfigPath } from '../../local/platform.ts';
import type { OperationOutcome } from '../../shared/contract/operation.ts';
import { tenantIdOf } from '../../shared/derive.ts';
import type { CheckpointId, ProjectId, TimelineId } from '../../shared/ids.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { createProject, generate, openProject } from '../support/project.ts';

const run = promisify(execFile);
let platform: TestPlatform;
let projectId: ProjectId;
let other: ProjectId;
let world: World;
let kube: KubeClient;
let app: string;

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  kube = connectKube(kubeconfigPath(platform.data, 'admin'));
  [{ projectId, world }, other] = await Promise.all([openProject(platform, 'Bad input'), createProject(platform, 'Another')]);
  await generate(platform, projectId, 'a personal finance tracker');
  app = (await query<{ id: string }>('SELECT id FROM project_apps WHERE project_id = $1', [projectId]))[0]?.id ?? '';
}, 900_000);

afterAll(async () => {
  await world.close();
  await kube.close();
  await platform.close();
}, 60_000);

const query = <T>(sql: string, values: unknown[] = []): Promise<T[]> => platform.open.database.query<T & object>(sql, values) as Promise<T[]>;
const repo = (): string => join(platform.data, 'projects', projectId, 'repo');
const git = async (...args: string[]): Promise<string> =>
  (await run('git', ['-c', 'safe.directory=*', '-c', 'user.name=A person', '-c', 'user.email=person@example.org', '-C', repo(), ...args])).stdout.trim();
const file = (name: string): string => join(repo(), 'apps', 'personal-finance', name);
const namespace = (): string => `adorable-${projectId}`;
const at = (plural: string, name = ''): string => `/${plural === 'deployments' ? 'apis/apps/v1' : 'api/v1'}/namespaces/${namespace()}/${plural}${name === '' ? '' : `/${name}`}`;

interface Answer { readonly code: number; readonly json: { readonly error?: { readonly type: string; readonly message: string }; readonly [key: string]: unknown } }

/** The command as a person starts it. */
async function adorable(...args: string[]): Promise<Answer> {
  const command = [join(checkout, 'cli', 'main.ts'), ...args, '--json', '--data', platform.data];
  try {
    return { code: 0, json: JSON.parse((await run(process.execPath, command, { env: { ...process.env, NODE_OPTIONS: '' } })).stdout) as Answer['json'] };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, json: JSON.parse(stdout) as Answer['json'] };
  }
}

async function restore(target: string): Promise<void> {
  const outcome = await (await platform.open.runtime.restore(projectId, target)).result;
  expect(outcome).toMatchObject({ outcome: 'restored', health: 'healthy', receipt: { ok: true } });
}

async function expectVerified(): Promise<void> {
  expect((await platform.open.runtime.verify(projectId)).differences).toEqual([]);
}

/** What a refusal must leave alone, each from the store that owns it. */
async function everything(): Promise<unknown> {
  const timelines = await platform.open.timelines.listTimelines(tenantIdOf(projectId));
  const { items } = await kube.request<{ items: { metadata: { name: string; resourceVersion: string } }[] }>({ method: 'GET', path: at('deployments') });
  return {
    rows: await query('SELECT fence, current_checkpoint, redo_stack FROM projects WHERE id = $1', [projectId]), operations: await query('SELECT id FROM operations WHERE project_id = $1', [projectId]),
    checkpoints: await query('SELECT id, status FROM checkpoints WHERE project_id = $1', [projectId]), refs: await git('for-each-ref'), status: await git('status', '--porcelain'),
    timelines: timelines.map((info) => info.timeline_id), deployments: items.map(({ metadata }) => metadata),
  };
}

/** As the app logs in. */
async function asApp(): Promise<pg.Client> {
  const client = new pg.Client({ ...(await world.computeAddress()), user: app, password: await world.secret('app-personal-finance-env', 'PGPASSWORD') });
  client.on('error', () => undefined); // It is ended on purpose.
  await client.connect();
  return client;
}

const category = (name: string): string => `INSERT INTO categories (name, direction, colour) VALUES ('${name}', 'income', '#aabbcc')`;
const categories = async (): Promise<string[]> => (await world.sql<{ name: string }>(`SELECT name FROM ${app}.categories WHERE name LIKE 'bad %' ORDER BY 1`)).map((row) => row.name);
const inDoubt = async (): Promise<string[]> => (await world.sql<{ gid: string }>('SELECT gid FROM pg_prepared_xacts ORDER BY 1')).map((row) => row.gid);

async function prepare(gid: string): Promise<void> {
  const client = await asApp();
  for (const sql of ['BEGIN', category(`bad ${gid}`), `PREPARE TRANSACTION '${gid}'`]) await client.query(sql);
  await client.end();
}

async function madeAgain(plural: string, name: string, change: (object: Made) => object): Promise<void> {
  const made = await kube.request<Made>({ method: 'GET', path: at(plural, name) });
  await kube.request({ method: 'DELETE', path: at(plural, name) });
  await kube.request({ method: 'POST', path: at(plural), body: { apiVersion: made.apiVersion, kind: made.kind, metadata: { name, labels: made.metadata.labels }, spec: change(made) } });
}

interface Made { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly labels: Record<string, string> }; readonly spec: { readonly ports: object[]; readonly selector: object } }

describe('one restore meets a dirty worktree in mid-merge, a stale lock, hand edits, an immutable field, a foreign object, open and prepared transactions', () => {
  let bookmark: CheckpointId;
  let session: pg.Client;

  test('a bookmark while a transaction is prepared; then all of it happens', async () => {
    await prepare('transfer');
    expect(await (await platform.open.runtime.bookmark(projectId, 'a quiet moment')).result).toMatchObject({ outcome: 'recorded' });
    bookmark = (await readTimeline(platform.open.database, projectId)).findLast((entry) => entry.current)?.id as CheckpointId;
    const client = await asApp();
    await client.query(`COMMIT PREPARED 'transfer'`);
    await client.end();
    await prepare('payment');
    expect(await (await platform.open.runtime.bookmark(projectId, 'a later one')).result).toMatchObject({ outcome: 'recorded' });
    session = await asApp();
    await session.query('BEGIN');
    await session.query(category('bad uncommitted'));

    await git('checkout', '-q', '-b', 'side');
    writeFileSync(file('NOTES.md'), 'theirs\n');
    await git('add', '-A');
    await git('commit', '-qm', 'side');
    await git('checkout', '-q', 'main');
    writeFileSync(file('NOTES.md'), 'ours\n');
    await git('add', '-A');
    await git('commit', '-qm', 'main');
    await expect(git('merge', 'side')).rejects.toThrow();
    writeFileSync(file('DRAFT.md'), 'not committed\n');
    writeFileSync(join(repo(), '.git', 'index.lock'), '');
    utimesSync(join(repo(), '.git', 'index.lock'), 0, 0);

    await kube.request({ method: 'PATCH', path: at('deployments', 'app'), patch: 'application/json-patch+json', query: { fieldManager: 'kubectl-edit' }, body: [{ op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: 'EXTRA', value: '1' } }] });
    await madeAgain('services', 'app', ({ spec }) => ({ clusterIP: 'None', ports: spec.ports }));
    await kube.request({ method: 'POST', path: at('configmaps'), body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'notes' }, data: { by: 'a person' } } });
  }, 120_000);

  test('verify (exit 1) names drift, the foreign object and what is in doubt; sweep names the object; the plan says what becomes of each', async () => {
    const verified = await adorable('verify', projectId);
    expect(verified).toMatchObject({ code: 1, json: { ok: false } });
    const { differences, noticed } = verified.json as unknown as { differences: { what: string }[]; noticed: string[] };
    expect(differences.map(({ what }) => what).sort()).toEqual(['Deployment/app', 'Service/app', 'the worktree']);
    expect(noticed).toEqual(['ConfigMap/notes was made by someone else and is left alone', expect.stringMatching(/^prepared transaction "payment" of personal-finance, in doubt since /)]);
    expect(await platform.open.runtime.sweep({ projectId, dryRun: true })).toMatchObject({ projects: [{ orphans: ['ConfigMap/notes'], drift: expect.arrayContaining([expect.objectContaining({ what: 'Deployment/app' })]) as unknown }] });

    while ((await world.sql<{ old: boolean }>(`SELECT bool_or(xact_start < now() - interval '10 seconds') AS old FROM pg_stat_activity WHERE state = 'idle in transaction'`))[0]?.old !== true) await sleep(250);
    const plan = await adorable('restore', projectId, bookmark, '--dry-run');
    expect(plan).toMatchObject({ code: 0, json: { noticed: [
      'ConfigMap/notes was made by someone else: it is left alone',
      expect.stringMatching(/"payment" of personal-finance.*the snapshot keeps it with its locks/),
      expect.stringMatching(/^a session of personal-finance in a transaction since .*rolled back$/),
      expect.stringMatching(/"transfer" of personal-finance.*it comes back with its locks.*ROLLBACK PREPARED$/),
    ] } });
  }, 120_000);

  test('the restore: drift is put right, the foreign object stays, the old transaction is in doubt again, the session is ended', async () => {
    await restore(bookmark);
    await expect(session.query('SELECT 1')).rejects.toThrow();
    expect(await inDoubt()).toEqual(['transfer']);
    expect(await categories()).toEqual([]);
    expect(existsSync(file('NOTES.md')) || existsSync(file('DRAFT.md')) || existsSync(join(repo(), '.git', 'MERGE_HEAD')) || existsSync(join(repo(), '.git', 'index.lock'))).toBe(false);
    expect(await git('status', '--porcelain')).toBe('');
    const receipt = await platform.open.runtime.verify(projectId);
    expect(receipt).toMatchObject({ differences: [], noticed: ['ConfigMap/notes was made by someone else and is left alone', expect.stringContaining('"transfer"')] });
    expect((await kube.request<{ spec: { clusterIP: string } }>({ method: 'GET', path: at('services', 'app') })).spec.clusterIP).toMatch(/^127\./);
    expect((await world.http('personal-finance', '/trpc/health')).status).toBe(200);
  }, 120_000);

  test('redo: the worktree as it was, every committed row, what was prepared and nothing that was not; its owner can still commit it', async () => {
    await madeAgain('deployments', 'app', ({ metadata }) => ({ replicas: 0, selector: { matchLabels: { old: 'selector' } }, template: { metadata: { labels: { ...metadata.labels, old: 'selector' } }, spec: { containers: [{ name: 'main', image: 'x' }] } } }));
    await restore('redo');
    expect(readFileSync(file('NOTES.md'), 'utf8')).toMatch(/<<<<<<<[^]*ours[^]*theirs/);
    expect(readFileSync(file('DRAFT.md'), 'utf8')).toBe('not committed\n');
    expect(await categories()).toEqual(['bad transfer']);
    expect(await inDoubt()).toEqual(['payment']);
    const client = await asApp();
    await client.query(`COMMIT PREPARED 'payment'`);
    await client.end();
    expect(await categories()).toEqual(['bad payment', 'bad transfer']);
    expect((await kube.request<{ data: unknown }>({ method: 'GET', path: at('configmaps', 'notes') })).data).toEqual({ by: 'a person' });
    await expectVerified();
  }, 120_000);
});

describe('refused, nothing changed', () => {
  test("another project's checkpoint: the same words and type as for one that never was", async () => {
    const [foreign] = await query<{ id: string }>(`SELECT id FROM checkpoints WHERE project_id = $1 AND status = 'complete'`, [other]);
    const theirs = foreign?.id ?? '';
    const nobody = 'cp_000000000000';
    const before = await everything();
    const answers = await Promise.all([['restore', projectId, theirs, '--yes'], ['restore', projectId, nobody, '--yes'], ['verify', projectId, theirs], ['verify', projectId, nobody]].map((args) => adorable(...args)));
    for (const { code, json } of answers) expect({ code, type: json.error?.type }).toEqual({ code: 3, type: 'NotFound' });
    const [toTheirs, toNobody, ofTheirs, ofNobody] = answers.map(({ json }) => JSON.stringify(json).replaceAll(theirs, 'ID').replaceAll(nobody, 'ID'));
    expect([toTheirs, ofTheirs]).toEqual([toNobody, ofNobody]);
    expect(await everything()).toEqual(before);
  }, 60_000);

  test('malformed ids (exit 2)', async () => {
    const before = await everything();
    const calls = [['restore', '../../etc', 'undo'], ['restore', projectId, 'nonsense', '--yes'], ['restore', projectId, 'before:Not A Slug', '--yes'], ['verify', projectId, 'cp_x'], ['cancel', projectId, '--operation', 'op'], ['restore', projectId, 'undo', '--mode', 'sideways']];
    for (const { code, json } of await Promise.all(calls.map((args) => adorable(...args)))) expect({ code, type: json.error?.type }).toEqual({ code: 2, type: 'InvalidInput' });
    expect(await everything()).toEqual(before);
  }, 60_000);

  test('something of others under a name that the target needs', async () => {
    const { metadata: { labels }, spec: { selector, ports } } = await kube.request<Made>({ method: 'GET', path: at('services', 'app') });
    await kube.request({ method: 'DELETE', path: at('services', 'app') });
    await kube.request({ method: 'POST', path: at('services'), body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'app' }, spec: { ports: [{ port: 1 }] } } });
    const before = await everything();
    const answer = await adorable('undo', projectId, '--yes');
    expect(answer).toMatchObject({ code: 3, json: { error: { type: 'PreconditionFailed', message: expect.stringContaining(`Service/app in ${namespace()} was made by someone else`) as unknown } } });
    expect(await everything()).toEqual(before);
    await kube.request({ method: 'DELETE', path: at('services', 'app') });
    await kube.request({ method: 'POST', path: at('services'), body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 'app', labels }, spec: { selector, ports } } });
  }, 60_000);

  test('a moment whose data or code is not kept any more', async () => {
    const entries = await readTimeline(platform.open.database, projectId);
    const current = entries.find((entry) => entry.current)?.timelineId;
    // Where the redo came from: nothing runs there, and only its own snapshot names it.
    const gone = entries.findLast((entry) => entry.kind === 'pre-restore' && entry.sealed && entry.timelineId !== current && entries.filter((one) => one.timelineId === entry.timelineId).length === 1);
    const [id, timelineId] = [gone?.id ?? '', gone?.timelineId as TimelineId];
    await query('UPDATE checkpoints SET commit_sha = $2 WHERE id = $1', [id, 'd'.repeat(40)]);
    await expect(platform.open.runtime.planRestore(projectId, id)).rejects.toMatchObject({ type: 'Unreachable', message: expect.stringContaining(`The code of ${id} is not whole in git`) as unknown });
    await query('UPDATE checkpoints SET commit_sha = $2 WHERE id = $1', [id, gone?.commit]);
    await platform.open.timelines.deleteTimeline(tenantIdOf(projectId), timelineId);
    const before = await everything();
    expect(await adorable('restore', projectId, id, '--yes')).toMatchObject({ code: 3, json: { error: { type: 'Unreachable', message: expect.stringContaining('is not kept any more') as unknown } } });
    expect(await everything()).toEqual(before);
  }, 60_000);
});

describe('the namespace is deleted by someone else', () => {
  const deleteNamespace = () => kube.request({ method: 'DELETE', path: `/api/v1/namespaces/${namespace()}` });
  const isThere = async (): Promise<boolean> => await kube.request({ method: 'GET', path: `/api/v1/namespaces/${namespace()}` }).then(() => true, () => false);

  test('before a restore: verify and the plan name it, undo makes it again', async () => {
    await addTransaction(world, 'Before the deletion', -100);
    await deleteNamespace();
    while (await isThere()) await sleep(50);
    expect((await platform.open.runtime.verify(projectId)).differences).toContainEqual({ store: 'namespace', what: `Namespace/${namespace()}`, expected: 'present', found: 'absent' });
    const plan = await platform.open.runtime.planRestore(projectId, 'undo');
    expect(plan.noticed).toEqual([expect.stringContaining('the restore makes it again'), expect.stringContaining('rows are not counted')]);
    await restore('undo');
    expect(await world.names('deployments')).toEqual(['neon-compute']);
    await expectVerified();
  }, 120_000);

  test('in the middle, when the moment is final already: it is made again, and no row is lost', async () => {
    const started = await platform.open.runtime.restore(projectId, 'redo');
    while (!(await platform.open.temporal.pending(projectId)).some(({ activity }) => activity === 'startTiers')) await sleep(10);
    await deleteNamespace();
    expect(await started.result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    expect(await transactions(world)).toEqual(['Before the deletion']);
    expect((await world.http('personal-finance', '/trpc/health')).status).toBe(200);
    await expectVerified();
  }, 180_000);
});

/** Its namespace takes a while to go: it does so beside the next test. */
let deletion: Started<OperationOutcome>;

test('PostgreSQL hangs: it is ended, what it acknowledged is in the snapshot, and the restore goes on', async () => {
  deletion = await platform.open.runtime.deleteProject(other);
  await addTransaction(world, 'Before it hung', -200);
  const [timeline] = await query<{ timeline_id: TimelineId }>('SELECT timeline_id FROM projects WHERE id = $1', [projectId]);
  const pgdata = join(platform.data, 'timelines', tenantIdOf(projectId), timeline?.timeline_id ?? '', 'pgdata');
  const postmaster = Number(readFileSync(join(pgdata, 'postmaster.pid'), 'utf8').split('\n')[0]);
  process.kill(postmaster, 'SIGSTOP');
  const outcome = await (await platform.open.runtime.restore(projectId, 'undo')).result;
  expect(outcome).toMatchObject({ outcome: 'restored', health: 'healthy' });
  expect(() => process.kill(postmaster, 0)).toThrow();
  await expectVerified();
  const [snapshot] = await query<{ timeline_id: TimelineId; lsn: string }>('SELECT timeline_id, lsn FROM checkpoints WHERE id = $1', [outcome.undo]);
  const { tables } = await platform.open.timelines.inspect(tenantIdOf(projectId), snapshot?.timeline_id as TimelineId, snapshot?.lsn as never);
  expect(tables).toContainEqual({ table: `${app}.transactions`, rows: 2 });
}, 240_000);

test('a project that is archived while its end is still open: recover and delete finish it, everything else knows no such project', async () => {
  expect(await deletion.result).toMatchObject({ outcome: 'deleted' });
  // As a run leaves it that was terminated between its last two steps.
  const reopen = () => query('UPDATE operations SET outcome = NULL, closed_at = NULL WHERE id = $1', [deletion.operationId]);
  const outcomes = () => query<{ outcome: string }>('SELECT outcome FROM operations WHERE project_id = $1 ORDER BY started_at', [other]);
  for (const args of [['recover', other], ['delete', other, '--yes']]) {
    await reopen();
    expect(await adorable(...args)).toMatchObject({ code: 0, json: { outcome: 'recovered', message: expect.stringContaining('is gone') as unknown } });
    expect(await outcomes()).toEqual([{ outcome: 'provisioned' }, { outcome: 'deleted' }]);
    await expect(platform.open.runtime.recover(other)).rejects.toMatchObject({ type: 'NotFound' });
  }
  await reopen();
  const { runtime } = platform.open;
  for (const open of [() => runtime.restore(other, 'undo'), () => runtime.bookmark(other, 'x'), () => runtime.startGeneration(other, 'retry'), () => runtime.verify(other)]) {
    await expect(open()).rejects.toMatchObject({ type: 'NotFound' });
  }
  expect(await outcomes()).toEqual([{ outcome: 'provisioned' }, { outcome: null }]);
  // The platform is shared: what was opened for this test is ended.
  expect(await adorable('recover', other)).toMatchObject({ code: 0, json: { outcome: 'recovered' } });
}, 120_000);
