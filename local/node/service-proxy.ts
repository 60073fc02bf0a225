/**
 * ClusterIP:port → a ready pod, also at the port by which contained pods know the Service. It listens only for Services of namespaces that are ours and that
 * name a selector; with no ready pod a connection is refused at once, never sent elsewhere (I4).
 */
import { createServer, connect, type Server, type Socket } from 'node:net';
import { errorFields, log } from '../log.ts';
import { resolvePort, selects, type Pod, type Service } from './kube-types.ts';
import type { ServicePorts } from './service-ports.ts';

export interface Endpoint { readonly pod: Pod; readonly address: string }

/** A stranger's wildcard listener, or a port below 1024 for an ordinary user: either may be mended at any time. */
const RETRY_MS = 2_000;

interface Listener { readonly server: Server; readonly sockets: Set<Socket> }

export interface ServiceProxy {
  /** Listens for exactly these Services. */
  reconcile(services: readonly Service[]): void;
  close(): Promise<void>;
}

export function createServiceProxy(readyPods: (namespace: string) => readonly Endpoint[], ports?: Pick<ServicePorts, 'portOf'>): ServiceProxy {
  const listeners = new Map<string, Listener>();
  const services = new Map<string, { service: Service; port: number }>();
  const failing = new Set<string>();
  let turn = 0;

  function accept(key: string, sockets: Set<Socket>, client: Socket): void {
    const wanted = services.get(key);
    const port = wanted?.service.spec.ports?.find((candidate) => candidate.port === wanted.port);
    const targets = wanted && port ? readyPods(wanted.service.metadata.namespace ?? '').flatMap((endpoint) => {
      if (!selects(wanted.service.spec.selector, endpoint.pod.metadata.labels)) return [];
      const number = resolvePort(port.targetPort ?? port.port, endpoint.pod.spec.containers);
      return number === undefined ? [] : [{ host: endpoint.address, port: number }];
    }) : [];
    const target = targets[turn++ % Math.max(targets.length, 1)];
    if (!target) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ ...target, allowHalfOpen: true });
    sockets.add(client);
    client.setNoDelay(true);
    upstream.setNoDelay(true);
    client.pipe(upstream).pipe(client);
    // A pod that refuses or dies must be seen as a reset, not as a clean end of the stream.
    const abort = () => {
      client.resetAndDestroy();
      upstream.destroy();
    };
    client.on('error', abort).on('close', () => {
      sockets.delete(client);
      upstream.destroy();
    });
    upstream.on('error', abort);
  }

  function listen(key: string, host: string, port: number): void {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => accept(key, sockets, socket));
    server.on('error', (error) => {
      if (!failing.has(key)) log('error', 'cannot listen for a Service, trying again', { address: `${host}:${String(port)}`, ...errorFields(error) });
      failing.add(key);
      listeners.delete(key);
      setTimeout(() => {
        if (services.has(key) && !listeners.has(key)) listen(key, host, port);
      }, RETRY_MS).unref();
    });
    server.on('listening', () => failing.delete(key));
    server.listen(port, host);
    listeners.set(key, { server, sockets });
  }

  async function drop(key: string): Promise<void> {
    const listener = listeners.get(key);
    listeners.delete(key);
    services.delete(key);
    failing.delete(key);
    if (!listener) return;
    for (const socket of listener.sockets) socket.destroy();
    await new Promise((resolve) => listener.server.close(resolve));
  }

  return {
    reconcile: (wanted) => {
      const keys = new Set<string>();
      for (const service of wanted) {
        const host = service.spec.clusterIP;
        if (!host || host === 'None' || service.spec.type === 'ExternalName') continue;
        if (Object.keys(service.spec.selector ?? {}).length === 0) continue;
        for (const { port, protocol } of service.spec.ports ?? []) {
          if ((protocol ?? 'TCP') !== 'TCP') continue;
          for (const at of [port, ports?.portOf(service, port)]) {
            if (at === undefined) continue;
            const key = `${service.metadata.uid} ${host}:${String(at)}`;
            keys.add(key);
            services.set(key, { service, port });
            if (!listeners.has(key)) listen(key, host, at);
          }
        }
      }
      for (const key of services.keys()) if (!keys.has(key)) void drop(key);
    },
    close: async () => {
      await Promise.all([...services.keys()].map(drop));
    },
  };
}
