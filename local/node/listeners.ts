/**
 * Who listens on a wildcard address. Pods are told apart by loopback address alone, so one that
 * binds 0.0.0.0 or :: would answer for every other pod and for the outside world (I8, I10).
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface WildcardListener { readonly address: string; readonly port: number; readonly inode: string }

const LISTEN = '0A';

export function parseListeners(table: string, any: '0.0.0.0' | '::'): WildcardListener[] {
  return table.split('\n').slice(1).flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    return state === LISTEN && /^0+$/.test(address) ? [{ address: any, port: parseInt(port, 16), inode }] : [];
  });
}

export function wildcardListeners(): WildcardListener[] {
  return [
    ...parseListeners(readFileSync('/proc/net/tcp', 'utf8'), '0.0.0.0'),
    ...parseListeners(readTable('/proc/net/tcp6'), '::'),
  ];
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

/** The first wildcard listener that one of these processes holds open. */
export function wildcardListenerOf(pids: readonly number[], listeners: readonly WildcardListener[] = wildcardListeners()): WildcardListener | undefined {
  const byInode = new Map(listeners.map((listener) => [`socket:[${listener.inode}]`, listener]));
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
