/**
 * What is under way per namespace. A drain refuses what is new, closes WebSockets at once and
 * gives requests under way 5 s: after that no write can be acknowledged to a client (I3).
 */
import type { Duplex } from 'node:stream';

export const DRAIN_MS = 5_000;

interface Traffic { readonly requests: Set<Duplex>; readonly webSockets: Set<Duplex>; deadline: NodeJS.Timeout | undefined; closedAt: number | undefined }

export interface Drains {
  /** Counts a connection's request until the answered function is called. */
  request(namespace: string, socket: Duplex): () => void;
  webSocket(namespace: string, socket: Duplex): void;
  inFlight(namespace: string): number;
  /** Ends what is under way in a namespace that is being frozen; repeats do nothing. */
  drain(namespace: string): void;
  open(namespace: string): void;
  /** When the namespace was first seen closed; now, when it was not. */
  closedSince(namespace: string): number;
}

export function createDrains(drainMs = DRAIN_MS): Drains {
  const byNamespace = new Map<string, Traffic>();
  const trafficOf = (namespace: string): Traffic => {
    const known = byNamespace.get(namespace) ?? { requests: new Set(), webSockets: new Set(), deadline: undefined, closedAt: undefined };
    byNamespace.set(namespace, known);
    return known;
  };
  return {
    request: (namespace, socket) => {
      const { requests } = trafficOf(namespace);
      requests.add(socket);
      return () => void requests.delete(socket);
    },
    webSocket: (namespace, socket) => {
      const { webSockets } = trafficOf(namespace);
      webSockets.add(socket);
      socket.once('close', () => webSockets.delete(socket));
    },
    inFlight: (namespace) => {
      const { requests, webSockets } = trafficOf(namespace);
      return requests.size + webSockets.size;
    },
    drain: (namespace) => {
      const traffic = trafficOf(namespace);
      traffic.closedAt ??= Date.now();
      for (const socket of traffic.webSockets) socket.destroy();
      traffic.deadline ??= setTimeout(() => {
        for (const socket of traffic.requests) socket.destroy();
      }, drainMs);
    },
    open: (namespace) => {
      const traffic = trafficOf(namespace);
      clearTimeout(traffic.deadline);
      traffic.deadline = undefined;
      traffic.closedAt = undefined;
    },
    closedSince: (namespace) => trafficOf(namespace).closedAt ?? Date.now(),
  };
}
