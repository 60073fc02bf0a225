/**
 * Every saga in every way it can go, on the real engines: forward as it is, and bent by one failure so
 * that it unwinds or goes back. The same shapes as over the fakes (shapes.ts), each with the place on
 * the ground where it starts.
 */
import type { Boundary } from './boundaries.ts';

/** `one`: the finance tracker alone · `two`: a task board beside it · `noted`: the tracker with a note among its sources · `absent`, `provisioned`: a project of its own. */
export type Place = 'one' | 'two' | 'noted' | 'absent' | 'provisioned';

export interface RealShape {
  readonly name: string;
  readonly from: Place;
  /** Where it ends when it goes all the way. */
  readonly to: Place;
  readonly outcome: string;
  /** The boundary that fails for good, so that the run turns back. */
  readonly bent?: Boundary;
}

const first = (activity: string): Boundary => ({ activity, nth: 1 });

const STRAIGHT: readonly RealShape[] = [
  { name: 'restore undo', from: 'two', to: 'one', outcome: 'restored' },
  { name: 'restore redo', from: 'one', to: 'two', outcome: 'restored' },
  { name: 'restore data', from: 'one', to: 'one', outcome: 'restored' },
  { name: 'restore code', from: 'noted', to: 'one', outcome: 'restored' },
  { name: 'bookmark', from: 'one', to: 'one', outcome: 'recorded' },
  { name: 'generate', from: 'one', to: 'two', outcome: 'generated' },
  { name: 'provision', from: 'absent', to: 'provisioned', outcome: 'provisioned' },
  { name: 'delete', from: 'provisioned', to: 'absent', outcome: 'deleted' },
];

function bent(name: string, how: string, at: string): RealShape {
  const straight = STRAIGHT.find((shape) => shape.name === name);
  if (straight === undefined) throw new Error(`there is no shape ${name}`);
  return { ...straight, name: `${name}, ${how}`, bent: first(at) };
}

export const SHAPES: readonly RealShape[] = [
  ...STRAIGHT,
  bent('restore undo', 'unwound', 'stopCompute'),
  bent('restore undo', 'went back', 'verifyMoment'),
  bent('restore code', 'unwound', 'pinMoment'),
  bent('bookmark', 'unwound', 'completeCheckpoint'),
  bent('generate', 'unwound', 'rehearseMigrations'),
  bent('generate', 'went back', 'verifyMoment'),
  bent('provision', 'unwound', 'emitCheckpointLsn'),
];

/** The shape without its bend. */
export const straightOf = ({ name }: RealShape): string => name.split(',')[0] ?? name;
