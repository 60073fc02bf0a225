/**
 * What keeps generated code in its place on this machine (I10): a uid per project when root, and the
 * `contain` helper where it was built and the kernel has Landlock. The model backend asks `isContained`.
 */
import { spawnSync } from 'node:child_process';
import { AdorableError } from '../../shared/errors.ts';
import { isRoot } from '../uids.ts';

export interface Containment {
  /** Each project's processes run under uids of their own. */
  readonly uid: boolean;
  /** The kernel's Landlock ABI, when generated code runs behind it. */
  readonly landlock: number | undefined;
  /** What is missing. */
  readonly reason?: string;
}

/** Files and TCP ports. */
const LANDLOCK_PORTS = 4;
/** Signals too, between processes of one uid. */
const LANDLOCK_SIGNALS = 6;

/** `helper` is where `contain` was built, as `platform.json` says; nothing is built here. */
export function containment(helper: string | undefined): Containment {
  if (helper === undefined) return { uid: isRoot, landlock: undefined, reason: missing('the `contain` helper is not there: Go builds it during `adorable up`') };
  const { stdout, error } = spawnSync(helper, ['--abi'], { encoding: 'utf8', timeout: 5_000 });
  const abi = Number.parseInt(stdout ?? '', 10);
  if (error !== undefined || !Number.isInteger(abi)) {
    return { uid: isRoot, landlock: undefined, reason: missing(`${helper} does not run${error === undefined ? '' : `: ${error.message}`}`) };
  }
  if (abi < LANDLOCK_PORTS) {
    return { uid: isRoot, landlock: undefined, reason: missing(abi === 0 ? 'this kernel has no Landlock, or it is not enabled (lsm=landlock,…)' : `this kernel's Landlock (ABI ${String(abi)}) rules no ports: Linux 6.7 or later is needed`) };
  }
  if (abi < LANDLOCK_SIGNALS && !isRoot) {
    return { uid: false, landlock: abi, reason: `This kernel's Landlock (ABI ${String(abi)}) does not keep signals in, and without root all projects run as one user: use Linux 6.12 or later, or run as root.` };
  }
  return { uid: isRoot, landlock: abi };
}

/**
 * Whether code that nobody has read may run here. A uid alone is not enough: it would still reach
 * every port on the loopback interface, and Temporal's asks nobody for a password.
 */
export function isContained({ uid, landlock }: Pick<Containment, 'uid' | 'landlock'>): boolean {
  return landlock !== undefined && landlock >= (uid ? LANDLOCK_PORTS : LANDLOCK_SIGNALS);
}

/** Refuses what would run such code where it is not contained. */
export function requireContained(found: Containment): void {
  if (isContained(found)) return;
  throw new AdorableError('PreconditionFailed', `Generated code is not contained on this machine, so nothing that nobody has read is run here. ${found.reason ?? ''}`.trim());
}

function missing(what: string): string {
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}.${isRoot ? ' Projects are kept apart by their user IDs alone.' : ' Everything runs as one user.'}`;
}
