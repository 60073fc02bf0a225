/**
 * What a contained process may reach, and the command line that says so to the helper. The list of the
 * system's own paths holds programs, libraries and settings that every user may read: nobody's data.
 */
import { existsSync } from 'node:fs';

export interface Reach {
  /** Files and directories to read. */
  readonly read: readonly string[];
  /** Directories to read and to run programs from. */
  readonly run: readonly string[];
  /** Files and directories to write; nothing in them can be run. */
  readonly write: readonly string[];
  /** TCP ports, on whatever address: Landlock does not look at addresses. */
  readonly connect: readonly number[];
  readonly bind: readonly number[];
  /** Datagrams, which no rule can narrow down: for what must ask a name server. */
  readonly udp?: boolean;
  /** Unix sockets by path, which no rule can narrow down either. */
  readonly unixSockets?: boolean;
}

const PROGRAMS = ['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/nix/store'];
const SETTINGS = [
  // The loader's list, time zone, name resolution, OpenSSL's configuration and authorities, names of users.
  '/etc/ld.so.cache', '/etc/localtime', '/etc/timezone', '/etc/hosts', '/etc/host.conf', '/etc/resolv.conf', '/etc/nsswitch.conf',
  '/etc/gai.conf', '/etc/ssl', '/etc/pki', '/etc/ca-certificates', '/etc/passwd', '/etc/group', '/etc/alternatives',
  '/dev/zero', '/dev/random', '/dev/urandom',
  // How much of the machine there is. Its own /proc entry, not its children's: a rule names one of them.
  '/proc/self', '/proc/cpuinfo', '/proc/meminfo', '/proc/stat', '/proc/loadavg', '/sys/devices/system/cpu', '/sys/kernel/mm/transparent_hugepage',
];

/** `helper` runs `command` with no more than `reach`. */
export function containedCommand(helper: string, reach: Reach, command: readonly string[]): string[] {
  const option = (name: string, values: readonly (string | number)[]) => [...new Set(values)].flatMap((value) => [name, String(value)]);
  return [
    helper,
    ...option('--exec', [...PROGRAMS.filter((path) => existsSync(path)), ...reach.run]),
    ...option('--ro', [...SETTINGS.filter((path) => existsSync(path)), ...reach.read]),
    ...option('--rw', ['/dev/null', ...reach.write]),
    ...option('--connect', reach.connect),
    ...option('--bind', reach.bind),
    ...(reach.udp ? ['--udp'] : []),
    ...(reach.unixSockets ? ['--unix'] : []),
    '--', ...command,
  ];
}
