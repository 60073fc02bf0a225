/**
 * The HTTP side of the gateway: every request is routed anew, so a drain takes effect on the next
 * one, also on a kept-alive connection. Operators' paths answer on the gateway's own name only.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { createProxyServer } from 'http-proxy-3';
import type { Drains } from './drains.ts';
import { answer, noReadyPod, restoringSince, unknownHost, type Answer } from './pages.ts';
import { isRestoring, namespaceOf, route, type Route, type World } from './routes.ts';

interface GatewayInput {
  readonly world: World;
  readonly drains: Drains;
  mirror(podIP: string): string;
}

export function createGateway({ world, drains, mirror }: GatewayInput): Server {
  const proxy = createProxyServer({ xfwd: true });
  // A browser that resets its WebSocket is reported here, and unheard it would end the gateway for every project.
  proxy.on('error', (_error, _request, outgoing) => { outgoing?.destroy(); });

  function own(request: IncomingMessage, url: string): Answer {
    const json = (status: number, value: unknown): Answer => ({ status, headers: { 'content-type': 'application/json' }, body: `${JSON.stringify(value)}\n` });
    if (url === '/healthz') return json(200, { ready: true });
    const projectId = /^\/-\/drain\/([^/?]+)$/.exec(url)?.[1];
    const namespace = projectId === undefined ? undefined : namespaceOf(world, decodeURIComponent(projectId));
    if (!namespace) return answer(request, unknownHost);
    return json(200, { frozen: isRestoring(namespace), inFlight: drains.inFlight(namespace.metadata.name) });
  }

  function refusal(request: IncomingMessage, found: Exclude<Route, { kind: 'pod' }>): Answer {
    if (found.kind === 'restoring') return answer(request, restoringSince(drains.closedSince(found.namespace), Date.now()));
    return answer(request, found.kind === 'down' ? noReadyPod(found.reason) : unknownHost);
  }

  const server = createServer((request, response) => {
    const host = hostOf(request);
    if (host === '127.0.0.1' || host === 'localhost') {
      send(response, own(request, request.url ?? '/'));
      return;
    }
    const found = route(world, host, pathOf(request));
    if (found.kind !== 'pod') {
      send(response, refusal(request, found));
      return;
    }
    const done = drains.request(found.namespace, request.socket);
    response.once('close', done);
    proxy.web(request, response, { target: { host: mirror(found.podIP), port: found.port } }, () => {
      if (response.headersSent) response.destroy();
      else send(response, answer(request, noReadyPod('it did not answer')));
    });
  });

  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const found = route(world, hostOf(request), pathOf(request));
    if (found.kind !== 'pod') {
      sendRaw(socket, refusal(request, found));
      return;
    }
    drains.webSocket(found.namespace, socket);
    proxy.ws(request, socket, head, { target: { host: mirror(found.podIP), port: found.port } }, () => socket.destroy());
  });
  return server;
}

function hostOf(request: IncomingMessage): string {
  return (request.headers.host ?? '').toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0] ?? '/';
}

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}

function sendRaw(socket: Socket, { status, headers, body }: Answer): void {
  const lines = Object.entries({ ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' });
  socket.end(`HTTP/1.1 ${String(status)} -\r\n${lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${body}`);
}
