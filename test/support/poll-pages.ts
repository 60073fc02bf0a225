/** Asks for pages over and over while something else happens, and keeps every answer (I3, I4). */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Seen {
  readonly url: string;
  readonly afterMs: number;
  /** 0 when the connection ended without an answer; `body` says how. */
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

const EVERY_MS = 100;

export interface Polling {
  /** Oldest first; grows until the polling is stopped. */
  readonly seen: readonly Seen[];
  stop(): Promise<void>;
}

export function pollPages(urls: readonly string[]): Polling {
  const started = performance.now();
  const seen: Seen[] = [];
  const stop = new AbortController();
  const loops = urls.map(async (url) => {
    while (!stop.signal.aborted) {
      const answer = await ask(url);
      seen.push({ url, afterMs: Math.round(performance.now() - started), ...answer });
      await sleep(EVERY_MS);
    }
  });
  return {
    seen,
    async stop() {
      stop.abort();
      await Promise.all(loops);
    },
  };
}

/** Node may not resolve `*.localhost`: dial the gateway and name the host in the header. */
async function ask(url: string): Promise<Pick<Seen, 'status' | 'retryAfter' | 'body'>> {
  const { host, port, pathname } = new URL(url);
  return await new Promise((resolve) => {
    const failed = (error: Error): void => { resolve({ status: 0, retryAfter: undefined, body: error.message }); };
    const outgoing = request({ host: '127.0.0.1', port, path: pathname, agent: false, timeout: 20_000, headers: { host, accept: 'text/html' } }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', failed);
      incoming.on('end', () => { resolve({ status: incoming.statusCode ?? 0, retryAfter: incoming.headers['retry-after'], body: Buffer.concat(chunks).toString('utf8') }); });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer in 20 s')));
    outgoing.on('error', failed);
    outgoing.end();
  });
}
