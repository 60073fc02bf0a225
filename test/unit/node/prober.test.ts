import { describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from '../../../local/node/kube-types.ts';
import { attempt, startProbes, type ProbeTarget } from '../../../local/node/prober.ts';

const target = (container: Partial<Container> = {}): ProbeTarget => ({
  container: { name: 'main', image: 'i', ...container }, address: '127.0.0.1', env: { PATH: process.env['PATH'] ?? '' }, cwd: '/', uid: undefined,
});

describe('attempt', () => {
  test('httpGet: 2xx and 3xx are well, others are not, a named port is looked up', async () => {
    const server = createServer((request, response) => response.writeHead(Number(request.url?.slice(1))).end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const withPort = target({ ports: [{ name: 'http', containerPort: port }] });
    for (const [code, ok] of [[200, true], [302, true], [404, false], [503, false]] as const) {
      expect(await attempt({ httpGet: { path: `/${String(code)}`, port: 'http' } }, withPort)).toMatchObject({ ok });
    }
    expect(await attempt({ httpGet: { port: 'none' } }, withPort)).toMatchObject({ ok: false });
    server.close();
  });

  test('a server that never answers fails within its time', async () => {
    const server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const began = Date.now();
    expect(await attempt({ httpGet: { port: (server.address() as AddressInfo).port }, timeoutSeconds: 1 }, target())).toMatchObject({ ok: false });
    expect(Date.now() - began).toBeGreaterThanOrEqual(900);
    server.closeAllConnections();
    server.close();
  });

  test.each([['true', true], ['false', false], ['no-such-program', false]])('exec %s', async (command, ok) => {
    expect(await attempt({ exec: { command: [command] } }, target())).toMatchObject({ ok });
  });

  test('tcpSocket: nobody listens', async () => {
    expect(await attempt({ tcpSocket: { port: 1 } }, target())).toMatchObject({ ok: false });
  });
});

describe('startProbes', () => {
  test('without probes a running container is started and ready', async () => {
    const seen: string[] = [];
    startProbes(target(), new AbortController().signal, { onStarted: () => seen.push('started'), onReady: (ready) => void seen.push(`ready ${String(ready)}`), onUnhealthy: () => undefined });
    await sleep(10);
    expect(seen).toEqual(['started', 'ready true']);
  });

  test('failures count once per period, although attempts before the first success come faster', async () => {
    const abort = new AbortController();
    const unhealthy: number[] = [];
    const began = Date.now();
    startProbes(target({ startupProbe: { exec: { command: ['false'] }, periodSeconds: 1, failureThreshold: 2 } }), abort.signal, {
      onStarted: () => undefined, onReady: () => undefined, onUnhealthy: () => unhealthy.push(Date.now() - began),
    });
    while (unhealthy.length === 0) await sleep(20);
    // Ten attempts failed before the second one that counts.
    expect(unhealthy[0]).toBeGreaterThanOrEqual(900);
    abort.abort();
  }, 20_000);
});
