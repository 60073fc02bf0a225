/**
 * Every saga in every way it can go: forward as it is, and bent by one failure so that it unwinds or
 * goes back. Each shape names the world it starts in and the request; its boundaries are recorded.
 */
import type { AppId, OperationId, ProjectId } from '../../shared/ids.ts';
import { FakeWorld } from '../support/fake-world.ts';
import type { Boundary } from './boundaries.ts';
import type { Fault } from './inject.ts';

export const OPERATION = 'op_00000000shape' as OperationId;
const EARLIER = 'op_0000earlier0' as OperationId;
const BLOG = { appId: 'a_00000000blog' as AppId, slug: 'blog', kind: 'react', name: 'Blog', featureId: 'blog' } as const;

export interface Start {
  readonly workflow: string;
  readonly request: (projectId: ProjectId) => { projectId: ProjectId; operationId: OperationId };
}

export interface Shape extends Start {
  readonly name: string;
  readonly world: () => FakeWorld;
  /** What an undisturbed run ends as. */
  readonly outcome: string;
  /** What `npm test` puts at each of its boundaries, one run each; left out: every fault. With ADORABLE_TEST_FAULTS set, always every fault. */
  readonly faults?: readonly Fault[];
  /** A run before it, terminated at this boundary: the shape is what finishes it. */
  readonly after?: Start & { readonly at: string };
  /** The shape that it would have been: a bent run that ends forward after all must be there. */
  readonly straight?: string;
  /** Fails for good at this boundary, so that the run turns back there. */
  readonly bent?: Boundary;
}

const withBlog = (): FakeWorld => {
  const world = new FakeWorld();
  world.creates = [BLOG];
  return world;
};

const request = (extra: object, operationId = OPERATION) => (projectId: ProjectId) => ({ projectId, operationId, ...extra });
const restore = (mode: string, operationId = OPERATION): Start => ({ workflow: 'restoreProject', request: request({ target: 'undo', mode }, operationId) });
const generate = (operationId = OPERATION): Start => ({ workflow: 'generateProject', request: request({ door: 'approve_plan' }, operationId) });
const recover: Start = { workflow: 'recoverProject', request: request({}) };

export const FORWARD: readonly Shape[] = [
  { name: 'provision', world: () => FakeWorld.empty(), workflow: 'provisionProject', request: request({ name: 'Home' }), outcome: 'provisioned' },
  { name: 'generate', world: withBlog, ...generate(), outcome: 'generated', faults: [] },
  { name: 'restore all', world: () => new FakeWorld(), ...restore('all'), outcome: 'restored' },
  { name: 'restore data', world: () => new FakeWorld(), ...restore('data'), outcome: 'restored', faults: [] },
  { name: 'restore code', world: () => new FakeWorld(), ...restore('code'), outcome: 'restored', faults: [] },
  { name: 'bookmark', world: () => new FakeWorld(), workflow: 'recordBookmark', request: request({ label: 'here' }), outcome: 'recorded' },
  { name: 'delete', world: () => new FakeWorld(), workflow: 'deleteProject', request: request({}), outcome: 'deleted' },
];

const first = (activity: string): Boundary => ({ activity, nth: 1 });

export const BENT: readonly Shape[] = [
  { name: 'provision, unwound', world: () => FakeWorld.empty(), workflow: 'provisionProject', request: request({ name: 'Home' }), outcome: 'unchanged', bent: first('emitCheckpointLsn'), straight: 'provision', faults: [] },
  { name: 'generate, unwound', world: withBlog, ...generate(), outcome: 'unchanged', bent: first('ensureSecrets'), straight: 'generate', faults: [] },
  { name: 'generate, went back', world: withBlog, ...generate(), outcome: 'unchanged', bent: first('verifyMoment'), straight: 'generate', faults: [] },
  { name: 'restore, unwound', world: () => new FakeWorld(), ...restore('all'), outcome: 'unchanged', bent: first('stopCompute'), straight: 'restore all', faults: [] },
  { name: 'restore, went back', world: () => new FakeWorld(), ...restore('all'), outcome: 'unchanged', bent: first('verifyMoment'), straight: 'restore all', faults: [] },
  { name: 'restore code, unwound', world: () => new FakeWorld(), ...restore('code'), outcome: 'unchanged', bent: first('pinMoment'), straight: 'restore code', faults: [] },
];

export const RECOVERIES: readonly Shape[] = [
  { name: 'recover a restore before its decision', world: () => new FakeWorld(), after: { ...restore('all', EARLIER), at: 'stopCompute' }, ...recover, outcome: 'recovered' },
  { name: 'recover a restore after its decision', world: () => new FakeWorld(), after: { ...restore('all', EARLIER), at: 'convergeInfra' }, ...recover, outcome: 'recovered' },
  { name: 'recover a generation before its decision', world: withBlog, after: { ...generate(EARLIER), at: 'ensureSecrets' }, ...recover, outcome: 'recovered' },
  { name: 'recover a generation after its decision', world: withBlog, after: { ...generate(EARLIER), at: 'convergeSchema' }, ...recover, outcome: 'recovered' },
];
