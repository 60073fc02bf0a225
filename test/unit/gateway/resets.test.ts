/** Connections that break off: one browser's reset must not end the gateway for every project (I8). */
import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDrains } from '../../../local/gateway/drains.ts';
import { createGateway } from '../../../local/gateway/gateway-server.ts';

const UPGRADE = 'GET / HTTP/1.1\r\nhost: a.test\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n';
const servers: Server[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listening(server: Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket: Socket) => { sockets.push(socket); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('a WebSocket that its browser resets is dropped, and the next request is served', async () => {
  const upstream = await listening(createServer((socket) => {
    socket.on('error', () => undefined); // Reset on purpose, from the other side.
    socket.once('data', (head) => {
      if (head.includes('Upgrade')) socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\r\n');
      else socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok');
    });
  }));
  const labels = { 'app.kubernetes.io/managed-by': 'adorable-runtime', 'adorable.dev/project': 'p' };
  const world = {
    namespaces: new Map([['n', { metadata: { name: 'n', labels, annotations: {} } }]]),
    ingresses: new Map([['i', { metadata: { name: 'i', namespace: 'n' }, spec: { rules: [{ host: 'a.test', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] } }] } }]]),
    services: new Map([['s', { metadata: { name: 's', namespace: 'n' }, spec: { selector: { app: 'x' }, ports: [{ port: 80, targetPort: upstream }] } }]]),
    pods: new Map([['p', { metadata: { name: 'p', namespace: 'n', labels: { app: 'x' } }, spec: { containers: [{ name: 'c', ports: [] }] }, status: { podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] } }]]),
  } as unknown as Parameters<typeof createGateway>[0]['world'];
  const port = await listening(createGateway({ world, drains: createDrains(500), mirror: (podIP) => podIP }));

  const browser = connect(port, '127.0.0.1');
  sockets.push(browser);
  browser.write(UPGRADE);
  const [answer] = (await once(browser, 'data')) as [Buffer];
  expect(answer.toString()).toContain('101');
  browser.resetAndDestroy();
  await sleep(200);

  const response = await fetch(`http://127.0.0.1:${String(port)}/healthz`);
  expect(response.status).toBe(200);
});
