/**
 * Which ports and which loopback /16 each data directory of this user has claimed, so that two of
 * them can be up side by side and one that is down keeps its Service range for later.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import { lock } from '../lock-file.ts';
import { cacheDir, layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import { isAlive } from '../process-identity.ts';
import type { ProcessIdentity } from '../process-identity.ts';

type Ports = Platform['ports'];
type PortName = keyof Ports;

interface Claim {
  readonly dataDir: string;
  readonly instance: string;
  readonly supervisor: ProcessIdentity;
  readonly ports: Ports;
  readonly loopback: Platform['loopback'];
}

export interface Wanted {
  readonly dataDir: string;
  readonly instance: string;
  readonly supervisor: ProcessIdentity;
  /** What this data directory used before. */
  readonly remembered?: Pick<Platform, 'ports' | 'loopback'> | undefined;
  /** Asked for by the user: refused rather than replaced when taken. */
  readonly asked: Partial<Ports>;
}

const NAMES: readonly PortName[] = [
  'postgres', 'temporal', 'temporalUi', 'temporalHttp', 'temporalMetrics', 'kube', 'controllerManager', 'scheduler', 'timeline', 'gateway',
];
/** Addresses that people know by heart are tried first. */
export const FAMILIAR: Partial<Ports> = { temporal: 7233, temporalUi: 8233, gateway: 7080 };
/** Below the ephemeral range, so that no outgoing connection is ever given one of these. */
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const FIRST_RANGE = 64;
const RANGES = 64;
const POD_OFFSET = 100;

export async function claim(wanted: Wanted): Promise<Pick<Platform, 'ports' | 'loopback'>> {
  const dir = join(cacheDir(), 'claims');
  mkdirSync(dir, { recursive: true });
  const held = await lock(join(dir, '.lock'));
  try {
    const others = readClaims(dir).filter((other) => other.instance !== wanted.instance);
    const ports = await choosePorts(wanted, others);
    const loopback = wanted.remembered?.loopback ?? chooseLoopback(wanted, others);
    const file = join(dir, `${wanted.instance}.json`);
    const mine: Claim = { dataDir: wanted.dataDir, instance: wanted.instance, supervisor: wanted.supervisor, ports, loopback };
    writeFileSync(`${file}.new`, JSON.stringify(mine));
    renameSync(`${file}.new`, file);
    return { ports, loopback };
  } finally {
    held.release();
  }
}

/** Claims of data directories that still exist; the others are dropped. */
function readClaims(dir: string): Claim[] {
  const claims: Claim[] = [];
  for (const name of readdirSync(dir)) {
    if (!name.endsWith('.json')) continue;
    const file = join(dir, name);
    const other = JSON.parse(readFileSync(file, 'utf8')) as Claim;
    if (isAlive(other.supervisor) || existsSync(layout(other.dataDir).platform)) claims.push(other);
    else unlinkSync(file);
  }
  return claims;
}

async function choosePorts(wanted: Wanted, others: readonly Claim[]): Promise<Ports> {
  const claimed = new Set(others.filter((other) => isAlive(other.supervisor)).flatMap((other) => Object.values(other.ports)));
  const usable = async (port: number) => !claimed.has(port) && (await isFree(port));
  const chosen: Partial<Record<PortName, number>> = {};
  for (const [name, port] of Object.entries(wanted.asked) as [PortName, number][]) {
    if (!(await usable(port))) throw portTaken(name, port);
    claimed.add((chosen[name] = port));
  }
  // Kept ports go first, so that none of them is given to a part that needs a new one.
  const preferred = wanted.remembered?.ports ?? FAMILIAR;
  for (const name of NAMES) {
    const port = preferred[name];
    if (chosen[name] === undefined && port !== undefined && (await usable(port))) claimed.add((chosen[name] = port));
  }
  let next = FIRST_PORT + (Number.parseInt(wanted.instance.slice(0, 6), 16) % (LAST_PORT - FIRST_PORT));
  for (const name of NAMES) {
    for (let tries = 0; chosen[name] === undefined; tries++) {
      if (tries > LAST_PORT - FIRST_PORT) {
        throw new AdorableError('PortTaken', `No free port between ${FIRST_PORT} and ${LAST_PORT}: stop what uses them.`);
      }
      next = next >= LAST_PORT ? FIRST_PORT : next + 1;
      if (await usable(next)) claimed.add((chosen[name] = next));
    }
  }
  return chosen as Ports;
}

function portTaken(name: string, port: number): AdorableError {
  return new AdorableError('PortTaken', `Port ${port}, asked for ${name}, is in use by another program: choose another port or stop that program.`, {
    details: { port, part: name },
  });
}

function chooseLoopback(wanted: Wanted, others: readonly Claim[]): Platform['loopback'] {
  const taken = new Set(others.map((other) => other.loopback.services));
  const start = Number.parseInt(wanted.instance.slice(6, 10), 16);
  for (let i = 0; i < RANGES; i++) {
    const octet = FIRST_RANGE + ((start + i) % RANGES);
    const services = `127.${octet}.0.0/16`;
    if (!taken.has(services)) return { services, podPrefix: `127.${octet + POD_OFFSET}` };
  }
  throw new AdorableError('PortTaken', `All ${RANGES} loopback ranges are claimed by other data directories: delete one that is no longer needed.`);
}

/** A stranger's listener on all addresses counts as taken too. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}
