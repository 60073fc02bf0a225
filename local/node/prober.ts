/**
 * Startup, liveness and readiness of one container with the kubelet's fields: httpGet, tcpSocket
 * and exec. Until the first success attempts follow each other closely, so that a pod is Ready when
 * it is, not up to a period later; failures still count once per period.
 */
import { spawn } from 'node:child_process';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { resolvePort, type Container, type Probe } from './kube-types.ts';

const EAGER_MS = 30;
/** What takes long to come up, or never does, is asked less often: seen at most a twentieth of its time late. */
const LATE = 20;

export interface ProbeTarget {
  readonly container: Container;
  /** Where the process listens. */
  readonly address: string;
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid: number | undefined;
}

export interface ProbeOutcome { readonly ok: boolean; readonly message: string }

interface Watchers {
  onStarted(): void;
  /** Called on each change of readiness. */
  onReady(ready: boolean, message: string): Promise<void> | void;
  /** Startup or liveness failed for good: the container must be restarted. */
  onUnhealthy(kind: 'startup' | 'liveness', message: string): void;
}

/** Runs until the signal fires; without a probe, a running container counts as started and ready. */
export function startProbes(target: ProbeTarget, signal: AbortSignal, watchers: Watchers): void {
  const { startupProbe, livenessProbe, readinessProbe } = target.container;
  const fail = (kind: 'startup' | 'liveness') => (ok: boolean, message: string) => {
    if (!ok) watchers.onUnhealthy(kind, message);
  };
  const begin = async () => {
    watchers.onStarted();
    if (livenessProbe) void loop(livenessProbe, { target, signal, initial: true, onChange: fail('liveness') });
    if (readinessProbe) void loop(readinessProbe, { target, signal, initial: false, onChange: watchers.onReady });
    else await watchers.onReady(true, '');
  };
  if (!startupProbe) return void begin();
  void loop(startupProbe, {
    target, signal, initial: undefined,
    onChange: async (ok, message) => {
      if (ok) await begin();
      else fail('startup')(false, message);
      return 'stop';
    },
  });
}

interface LoopOptions {
  readonly target: ProbeTarget;
  readonly signal: AbortSignal;
  /** The result that counts before any attempt: alive (true), not ready (false), unknown. */
  readonly initial: boolean | undefined;
  onChange(ok: boolean, message: string): unknown;
}

async function loop(probe: Probe, { target, signal, initial, onChange }: LoopOptions): Promise<void> {
  const periodMs = (probe.periodSeconds ?? 10) * 1_000;
  const successes = probe.successThreshold ?? 1;
  const failures = probe.failureThreshold ?? 3;
  let result = initial;
  let run = { ok: true, count: 0 };
  let lastCounted = -Infinity;
  let everOk = false;
  const since = Date.now();
  try {
    await sleep((probe.initialDelaySeconds ?? 0) * 1_000, undefined, { signal });
    for (;;) {
      const began = Date.now();
      const outcome = await attempt(probe, target);
      if (signal.aborted) return;
      everOk ||= outcome.ok;
      const counts = outcome.ok || began - lastCounted >= periodMs - EAGER_MS;
      if (counts) {
        if (!outcome.ok) lastCounted = began;
        run = outcome.ok === run.ok ? { ok: outcome.ok, count: run.count + 1 } : { ok: outcome.ok, count: 1 };
        if (run.count >= (outcome.ok ? successes : failures) && result !== outcome.ok) {
          result = outcome.ok;
          if ((await onChange(outcome.ok, outcome.message)) === 'stop') return;
        }
      }
      await sleep(everOk ? periodMs : Math.min(periodMs, Math.max(EAGER_MS, (Date.now() - since) / LATE)), undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export async function attempt(probe: Probe, target: ProbeTarget): Promise<ProbeOutcome> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1_000;
  if (probe.httpGet) return await tryHttp(probe.httpGet, target, timeoutMs);
  if (probe.tcpSocket) {
    const port = resolvePort(probe.tcpSocket.port, [target.container]);
    return port === undefined ? noPort(probe.tcpSocket.port) : await tryTcp(probe.tcpSocket.host ?? target.address, port, timeoutMs);
  }
  if (probe.exec?.command?.length) return await tryExec(probe.exec.command, target, timeoutMs);
  return { ok: false, message: 'the probe names no action that the process node knows' };
}

function noPort(name: number | string): ProbeOutcome {
  return { ok: false, message: `the container declares no port ${String(name)}` };
}

async function tryHttp(action: NonNullable<Probe['httpGet']>, target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
  const port = resolvePort(action.port, [target.container]);
  if (port === undefined) return noPort(action.port);
  const options = {
    host: action.host ?? target.address,
    port,
    path: action.path ?? '/',
    agent: false as const,
    timeout: timeoutMs,
    signal: AbortSignal.timeout(timeoutMs),
    headers: {
      'user-agent': 'adorable-probe', accept: '*/*', connection: 'close',
      ...Object.fromEntries((action.httpHeaders ?? []).map(({ name, value }) => [name, value])),
    },
  };
  return await new Promise((resolve) => {
    const answered = (response: import('node:http').IncomingMessage) => {
      const code = response.statusCode ?? 0;
      response.destroy();
      resolve({ ok: code >= 200 && code < 400, message: `GET ${options.path} answered ${String(code)}` });
    };
    const request = action.scheme === 'HTTPS' ? httpsGet({ ...options, rejectUnauthorized: false }, answered) : httpGet(options, answered);
    request.on('error', (error) => {
      resolve({ ok: false, message: `GET ${options.path} failed: ${error.name === 'AbortError' ? 'timed out' : error.message}` });
    });
  });
}

async function tryTcp(host: string, port: number, timeoutMs: number): Promise<ProbeOutcome> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutMs });
    const settle = (ok: boolean, message: string) => {
      socket.destroy();
      resolve({ ok, message });
    };
    socket.once('connect', () => settle(true, 'connected'));
    socket.once('timeout', () => settle(false, `connecting to port ${String(port)} timed out`));
    socket.once('error', (error) => settle(false, `connecting to port ${String(port)} failed: ${error.message}`));
  });
}

async function tryExec(command: readonly string[], target: ProbeTarget, timeoutMs: number): Promise<ProbeOutcome> {
  const [file = '', ...args] = command;
  return await new Promise((resolve) => {
    const child = spawn(file, args, {
      cwd: target.cwd, env: target.env, stdio: 'ignore', timeout: timeoutMs, killSignal: 'SIGKILL',
      ...(target.uid === undefined ? {} : { uid: target.uid, gid: target.uid }),
    });
    child.once('error', (error) => resolve({ ok: false, message: `${file} could not be run: ${error.message}` }));
    child.once('exit', (code, name) => resolve({ ok: code === 0, message: name ? `${file} timed out` : `${file} exited with ${String(code)}` }));
  });
}
