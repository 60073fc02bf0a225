/**
 * One platform with its ground and a bystander: records each shape undisturbed, then runs it with one
 * fault at a time and says what became of it. What must be so is what the undisturbed runs left and
 * the rows that the harness wrote.
 */
import { openWorld } from '../../cli/story/world.ts';
import type { World } from '../../cli/story/world.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { boundariesOf, nameOf } from './boundaries.ts';
import type { Boundary } from './boundaries.ts';
import { foreignUntouched, leaks, settled, storesAgree, torn } from './check-project.ts';
import type { Problem } from './check-project.ts';
import { until } from './engines.ts';
import type { Engines } from './engines.ts';
import { historyText, platformSecrets, secretsAtRest, secretsFound } from './find-secrets.ts';
import { APPS, must, openGround } from './ground.ts';
import type { Ground, ProjectGround } from './ground.ts';
import { createLife, traces } from './life.ts';
import { differences } from './differences.ts';
import { readProject } from './read-project.ts';
import type { ProjectReading } from './read-project.ts';
import { SHAPES, straightOf } from './real-shapes.ts';
import type { Place, RealShape } from './real-shapes.ts';
import { runCase } from './run-case.ts';
import type { Ended, Put } from './run-case.ts';
import type { Result } from './table.ts';

export interface Recorded {
  /** A bent shape's are those after its bend. */
  readonly boundaries: readonly Boundary[];
  readonly took: ReadonlyMap<string, number>;
  readonly before: unknown;
  readonly after: unknown;
}

export interface Lane {
  readonly engines: Engines;
  readonly ground: ProjectGround;
  /** Milliseconds per boundary of a shape that was recorded. */
  took(shape: string): ReadonlyMap<string, number>;
  /** Whether a run of the shape can start without moving anything first. */
  isAt(shape: RealShape): boolean;
  record(shape: RealShape): Promise<Recorded>;
  run(shape: RealShape, put?: Put): Promise<Result>;
  /** What is looked for once, at the end; its projects are deleted. */
  finish(): Promise<readonly Problem[]>;
  close(): Promise<void>;
}

export async function openLane(engines: Engines): Promise<Lane> {
  const bystander = await openBystander(engines);
  const ground = await openGround(engines);
  const life = createLife(engines);
  const groundOf = (shape: RealShape): Ground => (shape.from === 'absent' || shape.from === 'provisioned' ? life : ground);
  const recorded = new Map<string, Promise<Recorded>>();
  const times = new Map<string, ReadonlyMap<string, number>>();
  const worlds = new Map<ProjectId, World>([[ground.projectId, ground.world]]);
  const secrets = new Set(platformSecrets(engines.platform.data));

  const worldOf = (projectId: ProjectId): World => {
    const world = worlds.get(projectId) ?? openWorld(engines.platform.open.platform, projectId);
    worlds.set(projectId, world);
    return world;
  };
  /** Undefined where there must be no project. */
  const read = async (projectId: ProjectId, place: Place): Promise<ProjectReading | undefined> =>
    place === 'absent' ? undefined : await until('a reading', () => readProject(engines, worldOf(projectId), projectId));

  async function check(shape: RealShape, ended: Ended, input: { known: Recorded; rows: readonly string[]; headBefore: string | undefined }): Promise<{ problems: Problem[]; allTheWay: boolean }> {
    const { outcome, operation: { projectId } } = ended;
    const allTheWay = outcome === shape.outcome;
    const place = allTheWay ? shape.to : shape.from;
    const problems: Problem[] = [...ended.problems];
    if (!allTheWay && outcome !== 'unchanged' && outcome !== null) problems.push(torn(`it ended as ${outcome}`));
    const now = await read(projectId, place);
    if (now === undefined) problems.push(...await until('a reading', () => traces(engines, projectId)));
    else {
      problems.push(
        ...differences(allTheWay ? input.known.after : input.known.before, now.visible).map((line) => torn(line)),
        ...rowProblems(allTheWay ? input.rows : groundOf(shape).rows, now.rows), ...storesAgree(now), ...leaks(now), ...foreignUntouched(now.facts, groundOf(shape).foreignUid),
      );
      if (input.headBefore !== undefined && !(await isAncestor(engines, projectId, input.headBefore))) problems.push({ kind: 'lost', what: `commit ${input.headBefore} is no longer in the history` });
      problems.push(...await settled(engines, worldOf(projectId), { projectId, apps: APPS[place], gone: APPS.two.filter((app) => !APPS[place].includes(app)) }));
      for (const secret of now.facts.objects.secrets) secrets.add(secret);
      problems.push(...secretsFound('an object of the namespace', now.facts.objects.text, [...secrets]));
    }
    for (const { workflowId, runId } of ended.runs) problems.push(...secretsFound(`the history of ${workflowId}`, await until('a history', () => historyText(engines.client, workflowId, runId)), [...secrets]));
    problems.push(...await bystander.problems());
    return { problems, allTheWay };
  }

  async function record(shape: RealShape): Promise<Recorded> {
    const known = recorded.get(shape.name) ?? (async (): Promise<Recorded> => {
      // A bent run that goes forward after all is where its straight shape goes.
      const straight = shape.bent === undefined ? undefined : await record(SHAPES.find((other) => other.name === straightOf(shape)) ?? shape);
      await groundOf(shape).goTo(shape.from);
      const { operation, rows } = await groundOf(shape).begin(shape);
      const before = await read(operation.projectId, shape.from);
      const ended = await runCase(engines, operation, shape);
      const wanted = shape.bent === undefined ? shape.outcome : 'unchanged';
      if (ended.outcome !== wanted || ended.problems.length > 0) throw new Error(`${shape.name}, undisturbed, ended ${String(ended.outcome)}: ${ended.problems.map((problem) => problem.what).join('; ')}`);
      const after = await read(operation.projectId, shape.bent === undefined ? shape.to : shape.from);
      const [{ workflowId, runId } = { workflowId: '', runId: '' }] = ended.runs;
      const all = await boundariesOf(engines.client, workflowId, runId);
      const at = shape.bent === undefined ? -1 : all.findIndex(({ activity, nth }) => activity === shape.bent?.activity && nth === shape.bent.nth);
      const known: Recorded = { boundaries: all.slice(at + 1), took: ended.took, before: before?.visible, after: straight?.after ?? after?.visible };
      const { problems, allTheWay } = await check(shape, ended, { known, rows, headBefore: before?.facts.head });
      if (problems.length > 0) throw new Error(`${shape.name}, undisturbed: ${problems.map((problem) => problem.what).join('; ')}`);
      groundOf(shape).went(shape, allTheWay);
      times.set(shape.name, known.took);
      return known;
    })();
    recorded.set(shape.name, known);
    return await known;
  }

  return {
    engines, ground, record,
    took: (name) => times.get(name) ?? new Map<string, number>(),
    isAt: (shape) => groundOf(shape).place === shape.from,
    async run(shape, put) {
      const known = await record(shape);
      await groundOf(shape).goTo(shape.from);
      const { operation, rows } = await groundOf(shape).begin(shape);
      const headBefore = shape.from === 'absent' || shape.to === 'absent' ? undefined : await engines.git(operation.projectId, 'rev-parse', 'refs/heads/main');
      const from = Date.now();
      const ended = await runCase(engines, operation, { took: known.took, ...(shape.bent === undefined ? {} : { bent: shape.bent }) }, put);
      const ms = Date.now() - from;
      const { problems, allTheWay } = await check(shape, ended, { known, rows, headBefore });
      groundOf(shape).went(shape, allTheWay);
      return {
        shape: shape.name, fault: put?.fault ?? 'none', ...(put?.boundary === undefined ? {} : { boundary: nameOf(put.boundary) }),
        outcome: `${ended.outcome ?? 'never began'}${ended.recovered ? ' by recover' : ''}`, ms, problems,
        ...(ended.missed === undefined ? {} : { missed: ended.missed }),
      };
    },
    async finish() {
      const found = await secretsAtRest(engines, [ground.projectId, bystander.projectId], [...secrets]);
      // A whole project with its past, taken down at last: what it leaves is leaked by whatever was done to it.
      await ground.clear();
      for (const projectId of [ground.projectId, bystander.projectId]) {
        await must(engines.platform.open.runtime.deleteProject(projectId), 'deleted');
        found.push(...await traces(engines, projectId));
      }
      return found;
    },
    async close() {
      await bystander.close();
      await Promise.all([...worlds.values()].map((world) => world.close()));
    },
  };
}

export function rowProblems(wanted: readonly string[], found: readonly string[]): Problem[] {
  return [
    ...wanted.filter((row) => !found.includes(row)).map((row): Problem => ({ kind: 'lost', what: `row ${row}` })),
    ...found.filter((row) => !wanted.includes(row)).map((row) => torn(`row ${row} is of another moment`)),
    ...found.filter((row, index) => found.indexOf(row) !== index).map((row) => torn(`row ${row} is there twice`)),
  ];
}

async function isAncestor({ git }: Engines, projectId: ProjectId, commit: string): Promise<boolean> {
  return await git(projectId, 'merge-base', '--is-ancestor', commit, 'refs/heads/main').then(() => true, () => false);
}

interface Bystander { readonly projectId: ProjectId; problems(): Promise<Problem[]>; close(): Promise<void> }

/** Another project that nothing is done to: every row, file, object and timeline of it stays as it is (I8). */
async function openBystander(engines: Engines): Promise<Bystander> {
  const { runtime, platform } = engines.platform.open;
  const created = await runtime.createProject('Bystander');
  await created.result;
  const { projectId } = created;
  const world: World = openWorld(platform, projectId);
  await world.sql('CREATE TABLE public.kept (text text)');
  await world.sql(`INSERT INTO public.kept VALUES ('of the bystander')`);
  const read = async (): Promise<unknown> => await until('the bystander', async () => {
    const { visible, facts } = await readProject(engines, world, projectId);
    const { pods: _pods, text: _text, secrets: _secrets, ...objects } = facts.objects;
    return { visible, facts: { ...facts, objects, timelines: facts.timelines.map(({ attached: _attached, last_record_lsn: _lsn, ...info }) => info) } };
  });
  const before = await read();
  return {
    projectId,
    problems: async () => differences(before, await read()).map((line): Problem => ({ kind: 'foreign', what: `another project: ${line}` })),
    close: () => world.close(),
  };
}
