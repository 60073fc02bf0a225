/**
 * `adorable restore` as a person types it. A plan is bound to what it saw: `--expect` with an older
 * digest changes nothing in any store. The timeline server away after the decision: exit code 5, and
 * what is left, until a resume brings the restore home (I2).
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { listRuns, readTimeline } from '../../client/reads.ts';
import { layout } from '../../local/paths.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { RestorePlan } from '../../shared/restore/plan.ts';
import { adorable } from '../support/command.ts';
import { startPlatform } from '../support/platform.ts';
import type { TestPlatform } from '../support/platform.ts';
import { createProject, generate } from '../support/project.ts';
import { readProjectStores } from '../support/project-reading.ts';
import { createStopping, pidOf, until } from '../support/stopped.ts';

const stopping = createStopping();
let platform: TestPlatform;
let projectId: ProjectId;

beforeAll(async () => {
  platform = await startPlatform({ directus: false });
  projectId = await createProject(platform, 'By command');
  await generate(platform, projectId, 'a personal finance tracker');
}, 900_000);

afterAll(async () => {
  stopping.goAll();
  await platform.close();
}, 60_000);

describe('a plan is bound to what it saw', () => {
  const command = (...args: string[]) => adorable(platform.data, ...args);
  const plan = (): Promise<RestorePlan> => platform.open.runtime.planRestore(projectId, 'previous');
  const stores = () => readProjectStores(platform.open, projectId);
  let first: RestorePlan;

  /** As somebody does in an editor and a terminal. */
  function commit(text: string): string {
    const repo = join(layout(platform.data).projects, projectId, 'repo');
    const git = (...args: string[]): string => execFileSync('git', ['-c', 'safe.directory=*', '-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-C', repo, ...args], { encoding: 'utf8' }).trim();
    writeFileSync(join(repo, 'apps', 'personal-finance', 'NOTES.md'), text);
    git('add', '-A');
    git('commit', '-q', '-m', text);
    return git('rev-parse', 'HEAD');
  }

  test('a commit since: `--expect` is refused with exit code 3, and no store changed', async () => {
    const dryRun = await command('restore', projectId, 'previous', '--dry-run');
    expect(dryRun).toMatchObject({ code: 0, json: { mode: 'all', digest: expect.stringMatching(/^[0-9a-f]{16}$/), archiveApps: [{ slug: 'personal-finance' }] } });
    first = dryRun.json as unknown as RestorePlan;
    const head = commit('a note');
    const before = await stores();
    expect(before.git.head).toBe(head);
    const refused = await command('restore', projectId, 'previous', '--expect', first.digest, '--yes');
    expect(refused).toMatchObject({ code: 3, json: { error: { type: 'ExpectationFailed' } } });
    expect(await stores()).toEqual(before);
    // Seen as HEAD alone: timeline and fence are what they were.
    expect(await plan()).toMatchObject({ digest: expect.not.stringMatching(first.digest), current: { commit: head, timelineId: first.current.timelineId } });
  }, 120_000);

  test('what moves between the plan and the run is refused by the run itself', async () => {
    const before = await stores();
    const refused = await (await platform.open.runtime.restore(projectId, 'previous', { expect: first.digest })).result;
    expect(refused).toMatchObject({ outcome: 'unchanged', failure: 'ExpectationFailed' });
    const { rows, ...others } = await stores();
    expect(others).toEqual({ git: before.git, timelines: before.timelines, namespace: before.namespace });
    // Nothing but the operation's own row, and the fence that it took.
    expect({ ...rows, operations: [], projects: [] }).toEqual({ ...before.rows, operations: [], projects: [] });
    expect(rows['operations']).toEqual(expect.arrayContaining([...before.rows['operations'] ?? []]));
  }, 120_000);

  test('the fence alone, and the timeline, are part of the digest', async () => {
    const before = await plan();
    expect(await (await platform.open.runtime.bookmark(projectId, 'here')).result).toMatchObject({ outcome: 'recorded' });
    const fenced = await plan();
    expect(fenced.current).toMatchObject({ commit: before.current.commit, timelineId: before.current.timelineId });
    expect(fenced.digest).not.toBe(before.digest);
    const here = (await readTimeline(platform.open.database, projectId)).find((entry) => entry.label === 'here');
    expect(await (await platform.open.runtime.restore(projectId, here?.id ?? '', { mode: 'data' })).result).toMatchObject({ outcome: 'restored', health: 'healthy' });
    const forked = await plan();
    expect(forked.current.commit).toBe(before.current.commit);
    expect(forked.current.timelineId).not.toBe(before.current.timelineId);
    expect(new Set([first, before, fenced, forked].map(({ digest }) => digest)).size).toBe(4);
    expect(await plan()).toEqual(forked);
    expect(await command('restore', projectId, 'previous', '--expect', fenced.digest, '--yes')).toMatchObject({ code: 3, json: { error: { type: 'ExpectationFailed' } } });
  }, 120_000);
});

test('the newest digest is accepted; a restore that meets an outage after its decision is told as stuck, goes on, and ends restored', async () => {
  const running = async (): Promise<{ decision: string | null; outcome: string | null } | undefined> =>
    (await platform.open.database.query<{ decision: string | null; outcome: string | null }>(`SELECT decision, outcome FROM operations WHERE project_id = $1 AND kind = 'restore' ORDER BY started_at DESC LIMIT 1`, [projectId]))[0];
  const timelineServer = pidOf(platform.data, 'timeline');
  const { digest } = await platform.open.runtime.planRestore(projectId, 'previous');
  const followed = adorable(platform.data, 'restore', projectId, 'previous', '--expect', digest, '--yes', '--stuck-after', '1');
  await until('the decision', async () => {
    const row = await running();
    return row?.decision === 'target' && row.outcome === null ? true : undefined;
  }, { everyMs: 5 });
  stopping.stop(timelineServer);

  const told = await followed;
  expect(told).toMatchObject({ code: 5, json: { error: { type: 'Stuck', projectId, stuck: { activity: expect.any(String), since: expect.stringMatching(/^\d{4}-/) } } } });
  const { operationId } = told.json['error'] as { operationId: string };
  const status = await adorable(platform.data, 'status', '--stuck-after', '1');
  expect(status.json['operations']).toContainEqual(expect.objectContaining({ projectId, operationId, kind: 'restore', stuck: expect.objectContaining({ activity: expect.any(String) }) }));
  expect(await platform.open.runtime.progress(projectId, { stuckAfterMs: 1_000 })).toMatchObject({ kind: 'restore', operationId, stuck: { activity: expect.any(String) } });

  // By itself, and well before it counts as stuck: what hangs, in words.
  const named = async (): Promise<string | undefined> => {
    const said = (await listRuns(platform.open.database, platform.open.temporal, projectId)).at(-1)?.retrying?.[0]?.lastFailure;
    return said?.match(/timeline server .* hangs: it answers neither/)?.[0];
  };
  await until('a name for what hangs', named, { everyMs: 250 });
  expect((await adorable(platform.data, 'status', '--stuck-after', '1')).json).toMatchObject({
    parts: expect.arrayContaining([expect.objectContaining({ part: 'timeline', state: 'running' })]) as unknown, operations: expect.arrayContaining([expect.objectContaining({ operationId, stuck: expect.objectContaining({ lastFailure: expect.stringContaining('hangs') }) })]) as unknown,
  });

  stopping.go(timelineServer);
  expect(await platform.open.runtime.resume(projectId)).toMatchObject({ operationId });
  expect(await until('the outcome', async () => (await running())?.outcome ?? undefined, { everyMs: 100 })).toBe('restored');
  expect((await platform.open.runtime.verify(projectId)).differences).toEqual([]);
}, 240_000);
