/**
 * Proof by trying: a contained process reads, writes, connects, listens and signals, once where it
 * may and once where it may not. What the kernel says it can do is not believed (I10).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRoot, NOBODY_UID } from '../uids.ts';
import { containedCommand } from './reach.ts';

export interface ProbeResult {
  /** Refused where it must be, and possible where it must be. */
  readonly held: readonly string[];
  readonly broken: readonly string[];
}

/** Plain JavaScript for the probed process: each attempt answers `done` or an error's code. */
const PROGRAM = `
const fs = require('node:fs'), net = require('node:net'), dgram = require('node:dgram');
const wanted = JSON.parse(process.argv[1]);
const attempt = (work) => { try { work(); return 'done'; } catch (error) { return error.code; } };
const settle = (emitter, event) => new Promise((done) => { emitter.once(event, () => done('done')).once('error', (error) => done(error.code)); });
const connect = async (target) => { const socket = net.connect(target); const said = await settle(socket, 'connect'); socket.destroy(); return said; };
const listen = async (port) => { const server = net.createServer(); const said = settle(server, 'listening'); server.listen(port, '127.0.0.1'); await said; server.close(); return await said; };
const datagram = async () => { const socket = dgram.createSocket('udp4'); const said = settle(socket, 'listening'); socket.bind(0, '127.0.0.1'); await said; return await said; };
(async () => {
  const found = {
    'reads what it may': attempt(() => fs.readFileSync(wanted.readable)),
    'writes where it may': attempt(() => fs.writeFileSync(wanted.writable + '/file', '')),
    'connects to a port that it may': await connect({ host: '127.0.0.1', port: wanted.open }),
    'listens on its own port': await listen(wanted.own),
    'reads a file outside': attempt(() => fs.readFileSync(wanted.secret)),
    'writes a file outside': attempt(() => fs.writeFileSync(wanted.secret, '')),
    "reads another process's environment": attempt(() => fs.readFileSync('/proc/' + wanted.pid + '/environ')),
    'signals another process': attempt(() => process.kill(wanted.pid, 0)),
    'connects to another port': await connect({ host: '127.0.0.1', port: wanted.closed }),
    'connects to a Unix socket': await connect(wanted.socket),
    'listens on another port': await listen(wanted.foreign),
    'sends datagrams': await datagram().catch((error) => error.code),
  };
  process.stdout.write(JSON.stringify(found), () => process.exit(0));
})();`;

const ALLOWED = new Set(['reads what it may', 'writes where it may', 'connects to a port that it may', 'listens on its own port']);
const REFUSED = new Set(['EACCES', 'EPERM']);
const LIMIT_MS = 15_000;

/** `node` is a Node that the probed uid can reach: the engine's, not one below somebody's home. */
export async function probeContainment(helper: string, node: string): Promise<ProbeResult> {
  const dir = mkdtempSync(join(tmpdir(), 'adorable-probe-'));
  const uid = isRoot ? NOBODY_UID : undefined;
  const servers: Server[] = [];
  try {
    chmodSync(dir, 0o755);
    const place = { readable: join(dir, 'readable'), secret: join(dir, 'secret'), writable: join(dir, 'scratch'), socket: join(dir, 'socket') };
    mkdirSync(place.writable);
    // Open to all, so that it is the containment that refuses and not the files' rights.
    for (const file of [place.readable, place.secret]) writeFileSync(file, 'x', { mode: 0o666 });
    if (uid !== undefined) chownSync(place.writable, uid, uid);
    const serve = async (where: { port: number; host: string } | { path: string }) => {
      const server = createServer((socket) => socket.destroy()).listen(where);
      servers.push(server);
      await once(server, 'listening');
      return server.address() as AddressInfo;
    };
    const free = async () => {
      const { port } = await serve({ port: 0, host: '127.0.0.1' });
      await new Promise((done) => servers.pop()?.close(done));
      return port;
    };
    await serve({ path: place.socket });
    chmodSync(place.socket, 0o777);
    const [open, closed] = [await serve({ port: 0, host: '127.0.0.1' }), await serve({ port: 0, host: '127.0.0.1' })];
    const [own, foreign] = [await free(), await free()];
    const wanted = { ...place, pid: process.pid, open: open.port, closed: closed.port, own, foreign };
    const command = containedCommand(helper, { read: [place.readable], run: [node], write: [place.writable], connect: [open.port], bind: [own] },
      [node, '-e', PROGRAM, JSON.stringify(wanted)]);
    return judge(await run(command, uid));
  } finally {
    for (const server of servers) server.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

function judge(found: Readonly<Record<string, string>>): ProbeResult {
  const held: string[] = [];
  const broken: string[] = [];
  for (const [what, said] of Object.entries(found)) {
    const isAllowed = ALLOWED.has(what);
    const isRight = isAllowed ? said === 'done' : REFUSED.has(said);
    if (isRight) held.push(isAllowed ? what : `${what}: refused`);
    else broken.push(`${what}: ${said}`);
  }
  return { held, broken };
}

async function run([command = '', ...args]: readonly string[], uid: number | undefined): Promise<Record<string, string>> {
  const child = spawn(command, args, {
    cwd: '/', env: { PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS, killSignal: 'SIGKILL',
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let output = '';
  let complaint = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const code = await new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject));
  if (code !== 0) return { 'starts contained': `exit ${String(code)}, ${complaint.trim().split('\n').at(-1) ?? ''}` };
  return JSON.parse(output) as Record<string, string>;
}
