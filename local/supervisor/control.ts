/**
 * The supervisor's socket: `watch` streams its events from the first on, `stop` stops everything.
 * One JSON line each way; only the owner of the data directory can open it.
 */
import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SupervisorEvent } from './supervisor.ts';

export type ControlCommand = 'watch' | 'stop' | 'ping';
/** `down` closes the stream of a `stop`; a `failed` event of the platform closes that of a `watch`. */
export type ControlEvent = SupervisorEvent | { readonly part: 'platform'; readonly state: 'alive' | 'down'; readonly ms: number };

export interface ControlTarget {
  stop(): Promise<void>;
}

export class ControlSocket {
  readonly #events: SupervisorEvent[] = [];
  readonly #watchers = new Set<Socket>();
  #server: Server | undefined;

  emit(event: SupervisorEvent): void {
    this.#events.push(event);
    for (const watcher of this.#watchers) send(watcher, event);
    // Early events matter to a late `up`; years of restarts do not.
    if (this.#events.length > 500) this.#events.splice(200, 100);
  }

  async listen(path: string, target: ControlTarget): Promise<void> {
    rmSync(path, { force: true });
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('close', () => this.#watchers.delete(socket));
      // Its input's errors are told to it as well: unheard, a client that hangs up while it is told something would end the supervisor.
      createInterface({ input: socket, crlfDelay: Infinity }).on('error', () => undefined).on('line', (line) => this.#answer(line as ControlCommand, socket, target));
    });
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    chmodSync(path, 0o600);
  }

  #answer(command: ControlCommand, socket: Socket, target: ControlTarget): void {
    if (command === 'ping') {
      socket.end(`${JSON.stringify({ part: 'platform', state: 'alive', ms: 0 })}\n`);
      return;
    }
    if (command === 'watch') for (const event of this.#events) send(socket, event);
    this.#watchers.add(socket);
    if (command === 'stop') void target.stop();
  }

  /** Waits until somebody watches, so that a quick failure is not lost on an `up` that is about to connect. */
  async heard(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.#watchers.size === 0 && Date.now() < deadline) await sleep(20);
  }

  /** Tells everybody that it is over, then closes. */
  close(): void {
    for (const watcher of this.#watchers) watcher.end(`${JSON.stringify({ part: 'platform', state: 'down', ms: 0 })}\n`);
    this.#server?.close();
  }
}

function send(socket: Socket, event: SupervisorEvent): void {
  socket.write(`${JSON.stringify(event)}\n`);
}

/** Sends a command and passes on each event; resolves when the stream ends, rejects when nobody listens. */
export function control(path: string, command: ControlCommand, onEvent: (event: ControlEvent, leave: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path);
    socket.once('error', reject);
    socket.once('close', () => resolve());
    socket.once('connect', () => socket.write(`${command}\n`));
    createInterface({ input: socket }).on('line', (line) => onEvent(JSON.parse(line) as ControlEvent, () => socket.destroy())).on('error', reject);
  });
}
