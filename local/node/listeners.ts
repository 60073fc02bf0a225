/**
 * Who listens where. Pods are told apart by loopback address alone, so one that binds 0.0.0.0 or ::
 * would answer for every other pod and for the outside world, and one that binds another's address for
 * that pod (I8, I10). Landlock rules the port and does not look at the address.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface Listener { readonly address: string; readonly port: number; readonly inode: string }

const LISTEN = '0A';
const WILDCARDS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const IPV4_MAPPED = /^0{16}FFFF0000/;

export function isWildcard({ address }: Listener): boolean {
  return WILDCARDS.has(address);
}

export function parseListeners(table: string): Listener[] {
  return table.split('\n').slice(1).flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    return state === LISTEN ? [{ address: toAddress(address), port: parseInt(port, 16), inode }] : [];
  });
}

/** The kernel prints words of four bytes, each backwards. An IPv6 address stays as it prints it: it is no pod's. */
function toAddress(hex: string): string {
  if (/^0+$/.test(hex)) return hex.length === 8 ? '0.0.0.0' : '::';
  const word = hex.length === 8 ? hex : IPV4_MAPPED.test(hex) ? hex.slice(24) : undefined;
  if (word === undefined) return hex;
  return (word.match(/../g) ?? []).reverse().map((byte) => parseInt(byte, 16)).join('.');
}

export function readListeners(): Listener[] {
  return [...parseListeners(readFileSync('/proc/net/tcp', 'utf8')), ...parseListeners(readTable('/proc/net/tcp6'))];
}

/** Absent where IPv6 is off. */
function readTable(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** The first listener on another address than `own` that one of these processes holds open. */
export function strayListenerOf(pids: readonly number[], own: string, listeners: readonly Listener[] = readListeners()): Listener | undefined {
  const byInode = new Map(listeners.filter(({ address }) => address !== own).map((listener) => [`socket:[${listener.inode}]`, listener]));
  if (byInode.size === 0) return undefined;
  for (const pid of pids) {
    for (const link of openFiles(pid)) {
      const found = byInode.get(link);
      if (found) return found;
    }
  }
  return undefined;
}

function openFiles(pid: number): string[] {
  const directory = `/proc/${String(pid)}/fd`;
  try {
    return readdirSync(directory).flatMap((fd) => {
      try {
        return [readlinkSync(`${directory}/${fd}`)];
      } catch (error) {
        if (isGone(error)) return [];
        throw error;
      }
    });
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

/** Files and processes vanish while they are looked at; another user's cannot be read, nor be ours. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '');
}
