/**
 * A port of its own for every Service that pods talk to, beside the one it declares. Landlock rules
 * ports and not addresses: were all computes reached at 5432, an app that may reach its own could reach
 * everybody's (I8, I10). Pods learn it from `X_SERVICE_PORT`, as they learn the address.
 */
import { AdorableError } from '../../shared/errors.ts';
import type { Service } from './kube-types.ts';

/** Below the platform's own ports and those that the kernel gives to connections. */
const FIRST = 10_000;
const COUNT = 10_000;
/** As many loopback ranges as data directories can claim; each begins in a part of its own. */
const FIRST_RANGE = 64;
const RANGES = 64;

const COMPONENT = 'app.kubernetes.io/component';
/** Apps are reached by people, through the gateway: no pod needs them. */
const REACHED: ReadonlySet<string> = new Set(['compute', 'service']);

export interface ServicePorts {
  /** The same number each time; undefined for a Service that no pod talks to. */
  portOf(service: Service, port: number): number | undefined;
  /** The Service as a contained pod sees it. */
  seenBy(service: Service): Service;
  /** Forgets Services that are gone. Their numbers are the last to be used again. */
  keep(services: readonly Service[]): void;
}

/** `range` is the data directory's Service range, which no other one has. */
export function createServicePorts(range: string): ServicePorts {
  const given = new Map<string, number>();
  const used = new Set<number>();
  let next = Math.floor(((Number(range.split('.')[1]) - FIRST_RANGE) / RANGES) * COUNT);

  function take(): number {
    for (let tried = 0; tried < COUNT; tried++) {
      const port = FIRST + (next++ % COUNT);
      if (used.has(port)) continue;
      used.add(port);
      return port;
    }
    throw new AdorableError('QuotaExceeded', `All ${String(COUNT)} ports of Services are in use: delete a project.`);
  }

  function portOf(service: Service, port: number): number | undefined {
    if (!REACHED.has(service.metadata.labels?.[COMPONENT] ?? '')) return undefined;
    const key = `${service.metadata.uid} ${String(port)}`;
    const known = given.get(key) ?? take();
    given.set(key, known);
    return known;
  }

  return {
    portOf,
    seenBy: (service) => ({
      ...service,
      spec: { ...service.spec, ports: (service.spec.ports ?? []).map((each) => ({ ...each, port: portOf(service, each.port) ?? each.port })) },
    }),
    keep: (services) => {
      const there = new Set(services.map((service) => service.metadata.uid));
      for (const [key, port] of given) {
        if (there.has(key.split(' ')[0] ?? '')) continue;
        given.delete(key);
        used.delete(port);
      }
    },
  };
}
