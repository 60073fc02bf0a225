/**
 * Code that tries to get at what is not its own. It is text, because it runs where it is put: in an app's
 * server, in a program that a check loads, or on its own. Every attempt answers `done` or an error's code.
 */
export interface Targets {
  readonly read?: Readonly<Record<string, string>>;
  readonly list?: Readonly<Record<string, string>>;
  readonly write?: Readonly<Record<string, string>>;
  readonly environ?: Readonly<Record<string, number>>;
  readonly memory?: Readonly<Record<string, number>>;
  readonly signal?: Readonly<Record<string, number>>;
  readonly trace?: Readonly<Record<string, number>>;
  readonly connect?: Readonly<Record<string, { readonly host: string; readonly port: number } | { readonly path: string }>>;
  readonly bind?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** Runs this copy of a program, made where the process may write. */
  readonly run?: Readonly<Record<string, string>>;
  readonly udp?: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
}

export type Answers = Readonly<Record<string, string>>;

/** `attempts(targets)` as plain JavaScript for any Node. */
export const HOSTILE = `
import fs from 'node:fs';
import net from 'node:net';
import dgram from 'node:dgram';
import { spawnSync } from 'node:child_process';

const attempt = (work) => { try { work(); return 'done'; } catch (error) { return error.code ?? String(error); } };
const settle = (emitter, event) => new Promise((done) => { emitter.once(event, () => done('done')).once('error', (error) => done(error.code)); });
const kinds = {
  read: (path) => attempt(() => fs.closeSync(fs.openSync(path, 'r'))),
  list: (path) => attempt(() => fs.readdirSync(path)),
  write: (path) => attempt(() => { fs.closeSync(fs.openSync(path, 'a')); }),
  environ: (pid) => attempt(() => fs.readFileSync('/proc/' + pid + '/environ')),
  memory: (pid) => attempt(() => fs.closeSync(fs.openSync('/proc/' + pid + '/mem', 'r+'))),
  signal: (pid) => attempt(() => process.kill(pid, 0)),
  // PTRACE_SEIZE stops nobody; the kernel's answer is the exit code.
  trace: (pid) => {
    const call = process.arch === 'x64' ? 101 : 117;
    const { status, error } = spawnSync('perl', ['-e', 'exit(syscall(' + call + ', 0x4206, ' + pid + ', 0, 0) == -1 ? ($! + 0) : 0)']);
    return error ? error.code : status === 0 ? 'done' : ({ 1: 'EPERM', 13: 'EACCES' })[status] ?? 'exit ' + status;
  },
  connect: async (where) => { const socket = net.connect(where); const said = await settle(socket, 'connect'); socket.destroy(); return said; },
  bind: async (where) => { const server = net.createServer(); const said = settle(server, 'listening'); server.listen(where); await said; server.close(); return await said; },
  run: (path) => attempt(() => { fs.rmSync(path, { force: true }); fs.copyFileSync('/bin/true', path); fs.chmodSync(path, 0o755); const { error } = spawnSync(path); if (error) throw error; }),
  udp: async ({ host, port }) => { try { const socket = dgram.createSocket('udp4'); const said = await new Promise((done) => { socket.once('error', (error) => done(error.code)); socket.send('x', port, host, (error) => done(error ? error.code : 'done')); }); socket.close(); return said; } catch (error) { return error.code; } },
};
export async function attempts(targets) {
  const answers = {};
  for (const [kind, named] of Object.entries(targets)) for (const [name, target] of Object.entries(named)) answers[kind + ': ' + name] = await kinds[kind](target);
  return answers;
}
`;

/** Reads its targets from its first argument and prints its answers. */
export const HOSTILE_PROGRAM = `${HOSTILE}
attempts(JSON.parse(process.argv[2])).then((answers) => process.stdout.write(JSON.stringify(answers), () => process.exit(0)));
`;

const REFUSED: ReadonlySet<string> = new Set(['EACCES', 'EPERM']);

/** The attempts that were not refused, with what they answered instead. */
export function notRefused(answers: Answers): string[] {
  return Object.entries(answers).filter(([, said]) => !REFUSED.has(said)).map(([name, said]) => `${name} → ${said}`);
}

/** The attempts that did not succeed: for proving that a target is there to be got at. */
export function notDone(answers: Answers): string[] {
  return Object.entries(answers).filter(([, said]) => said !== 'done').map(([name, said]) => `${name} → ${said}`);
}

export function countOf(targets: Targets): number {
  return Object.values(targets).reduce((sum, named) => sum + Object.keys(named as object).length, 0);
}
