/**
 * The helper alone, between processes of one ordinary user: where files' rights and user IDs protect
 * nothing, only Landlock and the socket filter can refuse. Each target is first got at without it.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containment, isContained, requireContained } from '../../../local/containment/containment.ts';
import { probeContainment } from '../../../local/containment/probe.ts';
import { containedCommand } from '../../../local/containment/reach.ts';
import type { Reach } from '../../../local/containment/reach.ts';
import { obtain } from '../../../local/engines/obtain.ts';
import { isRoot } from '../../../local/uids.ts';
import { containHelper } from '../../support/containment.ts';
import { countOf, HOSTILE_PROGRAM, notDone, notRefused } from '../../support/hostile.ts';
import type { Answers, Targets } from '../../support/hostile.ts';

/** One user for attacker and victim, whoever runs the tests. */
const user = isRoot ? { uid: 199_997, gid: 199_997 } : {};
const dir = mkdtempSync(join(tmpdir(), 'adorable-contain-'));
const scratch = join(dir, 'scratch');
const program = join(dir, 'hostile.mjs');
const helper = await containHelper();
const node = await obtain('node');
let victim: ChildProcess;
const servers = [createServer(), createServer()] as const;
const portOf = (server: (typeof servers)[number]) => (server.address() as AddressInfo).port;

beforeAll(async () => {
  chmodSync(dir, 0o755);
  mkdirSync(scratch);
  writeFileSync(program, HOSTILE_PROGRAM, { mode: 0o644 });
  for (const path of [join(dir, 'secret'), join(dir, 'mine')]) writeFileSync(path, 'x');
  if (user.uid !== undefined) for (const path of [dir, scratch, join(dir, 'secret')]) chownSync(path, user.uid, user.gid);
  victim = spawn('sleep', ['300'], { ...user, cwd: '/' });
  servers[0].listen(0, '127.0.0.1');
  servers[1].listen(join(dir, 'socket'));
  await Promise.all([once(victim, 'spawn'), ...servers.map((server) => once(server, 'listening'))]);
  chmodSync(join(dir, 'socket'), 0o777);
});
afterAll(async () => {
  victim.kill('SIGKILL');
  for (const server of servers) server.close();
  await once(victim, 'exit');
  rmSync(dir, { recursive: true, force: true });
});

function start(command: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const [file = '', ...args] = command;
  return spawnSync(file, args, { ...user, cwd: '/', encoding: 'utf8', env: { PATH: '/usr/bin:/bin' } });
}

const free: Reach = { read: [], run: [], write: [], connect: [], bind: [] };
const own = async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
};

test.each([
  [{ uid: true, landlock: 7 }, true], [{ uid: false, landlock: 7 }, true], [{ uid: true, landlock: 4 }, true],
  // Signals between processes of one user are not kept in before ABI 6.
  [{ uid: false, landlock: 5 }, false], [{ uid: true, landlock: 3 }, false],
  // A uid alone reaches Temporal's port.
  [{ uid: true, landlock: undefined }, false], [{ uid: false, landlock: undefined }, false],
])('%j is contained: %s', (found, contained) => {
  expect(isContained(found)).toBe(contained);
  const asked = () => requireContained(found);
  if (contained) expect(asked).not.toThrow();
  else expect(asked).toThrow('not contained');
});

test('without a helper, or with one that does not run, nothing is called contained and the reason is said', () => {
  expect(containment(undefined)).toMatchObject({ landlock: undefined, reason: expect.stringContaining('helper is not there') });
  expect(containment(join(dir, 'nothing'))).toMatchObject({ landlock: undefined, reason: expect.stringContaining('does not run') });
  expect(containment('/bin/true')).toMatchObject({ landlock: undefined });
});

describe('a process of the same user', () => {
  /** Where Yama or a missing perl forbids it to everybody, a refusal would prove nothing. */
  function canTrace(): boolean {
    const yama = '/proc/sys/kernel/yama/ptrace_scope';
    return existsSync('/usr/bin/perl') && (!existsSync(yama) || readFileSync(yama, 'utf8').trim() === '0');
  }

  async function targets(): Promise<Targets> {
    const pid = victim.pid ?? 0;
    return {
      read: { 'a file of its own user': join(dir, 'secret') },
      list: { 'the directory above': dir, 'the root': '/' },
      write: { 'a file of its own user': join(dir, 'secret'), 'a new file beside its scratch': join(dir, 'new') },
      run: { 'a program that it made': join(scratch, 'program') },
      environ: { 'of a process of its own user': pid },
      ...(canTrace() ? { memory: { 'of a process of its own user': pid }, trace: { 'a process of its own user': pid } } : {}),
      signal: { 'a process of its own user': pid },
      connect: { 'a port': { host: '127.0.0.1', port: portOf(servers[0]) }, 'a Unix socket': { path: join(dir, 'socket') } },
      bind: { 'a port': { host: '127.0.0.1', port: await own() }, 'a wildcard': { host: '0.0.0.0', port: await own() } },
      udp: { 'to a name server': { host: '127.0.0.1', port: 53 } },
    };
  }

  test('gets at everything without the helper, and at nothing with it', async () => {
    const wanted = await targets();
    const open = JSON.parse(start([node, program, JSON.stringify(wanted)]).stdout) as Answers;
    expect(notDone(open)).toEqual([]);
    if (helper === undefined) return;
    const { stdout, stderr } = start(containedCommand(helper, { ...free, read: [program], run: [node], write: [scratch] }, [node, program, JSON.stringify(wanted)]));
    expect(stderr).toBe('');
    const closed = JSON.parse(stdout) as Answers;
    expect(notRefused(closed)).toEqual([]);
    expect(Object.keys(closed)).toHaveLength(countOf(wanted));
    process.stderr.write(`containment: ${String(countOf(wanted))} attempts of one ordinary user refused\n`);
  }, 30_000);

  test('does what it was given', async () => {
    if (helper === undefined) return;
    const [port, bound] = [portOf(servers[0]), await own()];
    const wanted: Targets = {
      read: { given: join(dir, 'mine') }, write: { given: join(scratch, 'file') }, list: { given: scratch },
      connect: { given: { host: '127.0.0.1', port } }, bind: { given: { host: '127.0.0.1', port: bound } },
    };
    const { stdout } = start(containedCommand(helper, { read: [program, join(dir, 'mine')], run: [node], write: [scratch], connect: [port], bind: [bound] }, [node, program, JSON.stringify(wanted)]));
    expect(notDone(JSON.parse(stdout) as Answers)).toEqual([]);
  }, 30_000);

  test('the probe holds in every point', async () => {
    if (helper === undefined) return;
    const { held, broken } = await probeContainment(helper, node);
    expect(broken).toEqual([]);
    expect(held).toHaveLength(12);
  }, 30_000);
});

describe('the helper never runs a command that it could not contain', () => {
  test.each([
    ['a path that is not there', ['--ro', '/nowhere/at/all', '--', '/bin/true'], 120, 'NotContained'],
    ['a port that is none', ['--connect', '70000', '--', '/bin/true'], 2, 'InvalidInput'],
    ['port 0, which would be any port', ['--bind', '0', '--', '/bin/true'], 2, 'InvalidInput'],
    ['an unknown option', ['--everything', 'x', '--', '/bin/true'], 2, 'InvalidInput'],
    ['no command', ['--ro', '/usr'], 2, 'InvalidInput'],
    ['a command that may not be run', ['--', '/bin/true'], 127, 'NotStarted'],
  ])('%s', (_, args, code, type) => {
    if (helper === undefined) return;
    const { status, stderr } = start([helper, ...args]);
    expect(status).toBe(code);
    expect(JSON.parse(stderr)).toMatchObject({ level: 'error', type });
  });
});
