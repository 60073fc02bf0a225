/**
 * What must hold of a project whenever no operation runs on it, whatever was done to the one before:
 * its stores agree with each other (I1, I2), nothing of a dead run is left, and what is not ours is
 * still there (I6). From one reading of the stores; only what controllers do later is waited for.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from '../../cli/story/world.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Engines } from './engines.ts';
import { readNamespaceObjects } from './read-objects.ts';
import type { Facts, ProjectReading } from './read-project.ts';

/** `torn`: between two moments · `lost`: an acknowledged write · `leaked`: of nobody · `secret`: where none may be · `foreign`: not ours and touched · `harness`: the fault itself could not be put. */
export interface Problem {
  readonly kind: 'torn' | 'lost' | 'leaked' | 'secret' | 'foreign' | 'harness';
  readonly what: string;
}

/** Longer than a terminated pod's grace period here. */
const SETTLE_MS = 60_000;

export const torn = (what: string): Problem => ({ kind: 'torn', what });
const leaked = (what: string): Problem => ({ kind: 'leaked', what });

export function storesAgree({ facts }: ProjectReading): Problem[] {
  const { project, endpoint, timelines, served, checkpoints, objects } = facts;
  const found: Problem[] = [];
  const mustBe = (what: string, is: unknown, wanted: unknown): void => { if (is !== wanted) found.push(torn(`${what} is ${String(is)}, not ${String(wanted)}`)); };
  const current = timelines.find((info) => info.timeline_id === project.timeline_id);
  const position = checkpoints.find((row) => row.id === project.current_checkpoint);
  mustBe("the endpoint's timeline", endpoint.timeline_id, project.timeline_id);
  mustBe('who may log in', endpoint.logins, 'all');
  mustBe('the PostgreSQL timeline that the database serves', served.pgTimelineId, current?.pg_timeline_id);
  mustBe('the system identifier that the database serves', served.systemId, current?.system_identifier);
  mustBe('the current timeline is sealed', current?.sealed, false);
  mustBe('the gateway', objects.gateway, 'open');
  mustBe("the project's status", project.status, 'idle');
  mustBe('the current checkpoint', position?.status, 'complete');
  // A restored moment's data is a fork that starts where its checkpoint says, to the byte; else it is the checkpoint's own timeline (I1).
  if (position !== undefined && position.timeline_id !== project.timeline_id) {
    mustBe('the timeline that was forked', current?.ancestor_timeline_id, position.timeline_id);
    mustBe('the LSN of the fork', current?.ancestor_lsn, position.lsn);
  }
  for (const { timeline_id: id, attached } of timelines) if (attached !== null && id !== project.timeline_id) found.push(torn(`a compute is attached to ${id}`));
  for (const row of checkpoints) if (row.status === 'complete' && !timelines.some((info) => info.timeline_id === row.timeline_id)) found.push({ kind: 'lost', what: `timeline ${row.timeline_id} of checkpoint ${row.id}` });
  return found;
}

/** Forks, pins, intents, refs, scratch, rows and objects that nothing refers to. */
export function leaks({ facts }: ProjectReading, operations: readonly string[] = []): Problem[] {
  const { project, checkpoints, timelines, inventory, objects } = facts;
  const complete = new Set(checkpoints.filter((row) => row.status === 'complete').map((row) => row.id));
  const needed = new Set([...checkpoints.filter((row) => row.status === 'complete').map((row) => row.timeline_id), project.timeline_id]);
  const ours = new Map(inventory.map((row) => [row.ref, row]));
  return [
    ...timelines.filter((info) => !needed.has(info.timeline_id)).map((info) => leaked(`fork ${info.timeline_id}`)),
    ...timelines.flatMap((info) => Object.keys(info.pins).filter((pin) => !complete.has(pin)).map((pin) => leaked(`pin ${pin} of timeline ${info.timeline_id}`))),
    ...checkpoints.filter((row) => row.status === 'intent').map((row) => leaked(`intent ${row.id}`)),
    ...facts.refs.filter((ref) => ref.startsWith('refs/adorable/run/') || ref === 'refs/adorable/following' || ref.startsWith('refs/adorable/rescue/')).map((ref) => leaked(`commit at ${ref}`)),
    ...facts.scratch.map((name) => leaked(`scratch worktree ${name}`)),
    ...facts.pendingApps.map((slug) => leaked(`pending app ${slug}`)),
    ...facts.openOperations.filter((id) => !operations.includes(id)).map((id) => leaked(`open operation ${id}`)),
    ...inventory.filter((row) => !row.ref.startsWith('Namespace/') && objects.uids[row.ref] !== row.uid).map((row) => leaked(`inventory row ${row.ref} (${row.state})`)),
    ...Object.keys(objects.uids).filter((ref) => !ours.has(ref) && ref !== FOREIGN && ref !== 'ServiceAccount/default').map((ref) => leaked(`object ${ref}`)),
  ];
}

/** Put into the namespace by the harness: what nobody recorded must survive everything but the namespace's own end (I6). */
export const FOREIGN = 'ConfigMap/of-someone-else';

export function foreignUntouched(facts: Facts, uid: string | undefined): Problem[] {
  return uid === undefined || facts.objects.uids[FOREIGN] === uid ? [] : [{ kind: 'foreign', what: `${FOREIGN} was ${facts.objects.uids[FOREIGN] === undefined ? 'deleted' : 'replaced'}` }];
}

/** Every Deployment has its one ready pod, there is no other pod, and every app answers through the gateway and by its login. */
export async function settled(engines: Engines, world: World, input: { projectId: ProjectId; apps: readonly string[]; gone: readonly string[] }): Promise<Problem[]> {
  let found: Problem[] = [];
  for (const deadline = Date.now() + SETTLE_MS; Date.now() < deadline; await sleep(300)) {
    found = await running(engines, world, input).catch((error: unknown) => [torn(`the project could not be read: ${error instanceof Error ? error.message : String(error)}`)]);
    if (found.length === 0) return found;
  }
  return found;
}

async function running(engines: Engines, world: World, { projectId, apps, gone }: { projectId: ProjectId; apps: readonly string[]; gone: readonly string[] }): Promise<Problem[]> {
  const { deployments, pods } = await readNamespaceObjects(engines.kube, projectId);
  const found: Problem[] = [];
  for (const { name, replicas } of deployments) {
    const own = pods.filter((pod) => pod.of === name);
    if (replicas !== 1) found.push(torn(`Deployment ${name} has ${String(replicas)} replicas`));
    if (own.length !== 1 || own[0]?.ready !== true) found.push(torn(`Deployment ${name} has ${String(own.length)} pods, ${String(own.filter((pod) => pod.ready).length)} ready`));
  }
  found.push(...pods.filter((pod) => !deployments.some((deployment) => deployment.name === pod.of)).map((pod) => leaked(`pod ${pod.name}`)));
  for (const app of apps) {
    const { status } = await world.http(app, '/trpc/health');
    if (status !== 200) found.push(torn(`${app} answers ${String(status)}`));
  }
  for (const app of gone) {
    const { status } = await world.http(app, '/');
    if (status !== 404) found.push(leaked(`${app} is gone and answers ${String(status)}`));
  }
  return found;
}
