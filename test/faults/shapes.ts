/**
 * Every saga in every way it can go: forward as it is, and bent by one failure so that it unwinds or
 * goes back. Each shape names the world it starts in and the request; its boundaries are recorded.
 */
import type { OperationId, ProjectId } from '../../shared/ids.ts';
import { FakeWorld } from '../support/fake-world.ts';
import type { Boundary } from './boundaries.ts';

export const OPERATION = 'op_00000000shape' as OperationId;
const EARLIER = 'op_0000earlier0' as OperationId;

export interface Start {
  readonly workflow: string;
  readonly request: (projectId: ProjectId) => { projectId: ProjectId; operationId: OperationId };
}

export interface Shape extends Start {
  readonly name: string;
  readonly world: (projectId: ProjectId) => FakeWorld;
  /** What an undisturbed run ends as. */
  readonly outcome: string;
  /** A run before it, terminated at this boundary: the shape is what finishes it. */
  readonly after?: Start & { readonly at: string };
  /** The shape that it would have been: a bent run that ends forward after all must be there. */
  readonly straight?: string;
  /** Its plan changes an existing schema: past the decision it goes back to a fork of its own. */
  readonly migrates?: boolean;
  /** Fails for good at this boundary, so that the run turns back there. */
  readonly bent?: Boundary;
}

const home = (projectId: ProjectId): FakeWorld => new FakeWorld(projectId);

const request = (extra: object, operationId = OPERATION) => (projectId: ProjectId) => ({ projectId, operationId, ...extra });
const restore = (mode: string, operationId = OPERATION): Start => ({ workflow: 'restoreProject', request: request({ target: 'undo', mode }, operationId) });
const generate = (operationId = OPERATION): Start => ({ workflow: 'generateProject', request: request({ door: 'approve_plan' }, operationId) });
const recover: Start = { workflow: 'recoverProject', request: request({}) };

export const FORWARD: readonly Shape[] = [
  { name: 'provision', world: FakeWorld.empty, workflow: 'provisionProject', request: request({ name: 'Home' }), outcome: 'provisioned' },
  { name: 'generate', world: FakeWorld.proposingBlog, ...generate(), outcome: 'generated' },
  { name: 'generate, migrating', world: FakeWorld.proposingMigration, ...generate(), outcome: 'generated', migrates: true },
  { name: 'restore all', world: home, ...restore('all'), outcome: 'restored' },
  { name: 'restore data', world: home, ...restore('data'), outcome: 'restored' },
  { name: 'restore code', world: home, ...restore('code'), outcome: 'restored' },
  { name: 'bookmark', world: home, workflow: 'recordBookmark', request: request({ label: 'here' }), outcome: 'recorded' },
  { name: 'delete', world: home, workflow: 'deleteProject', request: request({}), outcome: 'deleted' },
];

const first = (activity: string): Boundary => ({ activity, nth: 1 });

export const BENT: readonly Shape[] = [
  { name: 'provision, unwound', world: FakeWorld.empty, workflow: 'provisionProject', request: request({ name: 'Home' }), outcome: 'unchanged', bent: first('emitCheckpointLsn'), straight: 'provision' },
  { name: 'generate, unwound', world: FakeWorld.proposingBlog, ...generate(), outcome: 'unchanged', bent: first('ensureSecrets'), straight: 'generate' },
  { name: 'generate, went back', world: FakeWorld.proposingBlog, ...generate(), outcome: 'unchanged', bent: first('verifyMoment'), straight: 'generate' },
  { name: 'generate, migrating, unwound', world: FakeWorld.proposingMigration, ...generate(), outcome: 'unchanged', bent: { activity: 'emitCheckpointLsn', nth: 2 }, straight: 'generate, migrating', migrates: true },
  { name: 'generate, migrating, went back', world: FakeWorld.proposingMigration, ...generate(), outcome: 'unchanged', bent: first('verifyMoment'), straight: 'generate, migrating', migrates: true },
  { name: 'restore, unwound', world: home, ...restore('all'), outcome: 'unchanged', bent: first('stopCompute'), straight: 'restore all' },
  { name: 'restore, went back', world: home, ...restore('all'), outcome: 'unchanged', bent: first('verifyMoment'), straight: 'restore all' },
  { name: 'restore code, unwound', world: home, ...restore('code'), outcome: 'unchanged', bent: first('pinMoment'), straight: 'restore code' },
];

export const RECOVERIES: readonly Shape[] = [
  { name: 'recover a restore before its decision', world: home, after: { ...restore('all', EARLIER), at: 'stopCompute' }, ...recover, outcome: 'recovered' },
  { name: 'recover a restore after its decision', world: home, after: { ...restore('all', EARLIER), at: 'convergeInfra' }, ...recover, outcome: 'recovered' },
  { name: 'recover a generation before its decision', world: FakeWorld.proposingBlog, after: { ...generate(EARLIER), at: 'ensureSecrets' }, ...recover, outcome: 'recovered' },
  { name: 'recover a generation after its decision', world: FakeWorld.proposingBlog, after: { ...generate(EARLIER), at: 'convergeSchema' }, ...recover, outcome: 'recovered' },
  { name: 'recover a migrating generation before its decision', world: FakeWorld.proposingMigration, after: { ...generate(EARLIER), at: 'forkBranch' }, ...recover, outcome: 'recovered', migrates: true },
  { name: 'recover a migrating generation after its decision', world: FakeWorld.proposingMigration, after: { ...generate(EARLIER), at: 'convergeSchema' }, ...recover, outcome: 'recovered', migrates: true },
];
