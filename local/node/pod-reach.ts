/**
 * What each kind of pod may reach (I10). An app: its own directory of the served tree, its dependencies,
 * its scratch, its own port, and the ports of the compute and the services that it declared. Nothing
 * here follows from what the app says of itself: paths are compared by where they really lead.
 */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Reach } from '../containment/reach.ts';
import type { Layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import type { RunnerKind } from './images.ts';
import type { Container, Pod, Service } from './kube-types.ts';
import type { ServicePorts } from './service-ports.ts';
import { StartFailure } from './start-failure.ts';

export interface ReachInput {
  readonly kind: RunnerKind;
  readonly pod: Pod;
  readonly container: Container;
  readonly projectId: string;
  readonly scratch: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of the pod's own namespace. */
  readonly services: readonly Service[];
  readonly ports: ServicePorts;
  readonly platform: Platform;
  readonly layout: Layout;
}

const COMPONENT = 'app.kubernetes.io/component';
const USES_DATABASE = 'adorable.dev/database';
/** Web hooks and mail, which Directus sends for the people who set it up. */
const OUTWARD = [80, 443, 465, 587];
/** A socket's path may have 107 bytes; the compute moves to /tmp when its scratch lies too deep for one. */
const LONGEST_SOCKET_FOLDER = 80;

export function reachOf(input: ReachInput): Reach {
  const { kind, scratch, layout, platform, container } = input;
  const common: Reach = {
    read: [layout.runners], run: [platform.engines.node], write: [scratch],
    connect: [], bind: (container.ports ?? []).map(({ containerPort }) => containerPort),
  };
  switch (kind) {
    case 'app': return { ...common, read: [...common.read, ...appPaths(input)], connect: declaredPorts(input) };
    case 'process': return { ...common, connect: declaredPorts(input) };
    case 'directus': return {
      ...common,
      // Its child measures its own memory. Of other processes it sees names and sizes, nothing of what they hold.
      read: [...common.read, '/proc'],
      run: [...common.run, input.env['ENGINE_DIRECTUS'] ?? ''],
      connect: [...declaredPorts(input), ...OUTWARD],
      udp: true,
      // A library of it looks for a daemon at start, and takes the process down when it may not even ask.
      unixSockets: true,
    };
    case 'compute': return {
      ...common,
      run: [...common.run, platform.engines.postgres],
      // PostgreSQL shares memory between its processes there.
      write: [...common.write, '/dev/shm', ...(scratch.length > LONGEST_SOCKET_FOLDER ? ['/tmp'] : []), ...timelinePaths(input)],
      connect: [platform.ports.timeline],
      unixSockets: true,
    };
  }
}

/** As the rendered network policies say: the compute for who uses the database, services for everybody. */
function declaredPorts({ pod, services, ports }: ReachInput): number[] {
  const usesDatabase = pod.metadata.labels?.[USES_DATABASE] === 'true';
  const reached = services.filter((service) => {
    const component = service.metadata.labels?.[COMPONENT];
    return component === 'service' || (component === 'compute' && usesDatabase);
  });
  return reached.flatMap((service) => (service.spec.ports ?? []).flatMap(({ port }) => ports.portOf(service, port) ?? []));
}

function appPaths({ env, layout, projectId }: ReachInput): string[] {
  const { TREE = '', APP_SLUG = '' } = env;
  const dir = join(TREE, 'apps', APP_SLUG);
  // The runner says what is missing.
  if (!existsSync(dir)) return [];
  const trees = join(realpathSync(layout.projects), projectId, 'trees');
  const real = realpathSync(dir);
  if (dirname(dirname(dirname(real))) !== trees || real !== join(realpathSync(TREE), 'apps', APP_SLUG)) {
    throw new StartFailure('CreateContainerConfigError', `${dir} is no app in a served tree of this project: nothing of it is run.`);
  }
  return [real, ...dependencies(real, layout)];
}

function dependencies(app: string, layout: Layout): string[] {
  const link = join(app, 'node_modules');
  if (!existsSync(link)) return [];
  const modules = realpathSync(link);
  // With what was bundled of them, which lies beside.
  const installed = dirname(modules);
  if (dirname(installed) !== realpathSync(layout.deps)) {
    throw new StartFailure('CreateContainerConfigError', `${link} leads elsewhere than to installed dependencies: nothing of it is run.`);
  }
  return [installed];
}

/** The directory, the archive and the bases of one timeline: not what the timeline server notes of it. */
function timelinePaths({ env, layout }: ReachInput): string[] {
  const ids = [env['TENANT_ID'] ?? '', env['TIMELINE_ID'] ?? ''];
  if (!ids.every((id) => /^[0-9a-f]{32}$/.test(id))) return [];
  return ['pgdata', 'wal', 'bases'].map((name) => join(layout.timelines, ...ids, name)).filter((path) => existsSync(path));
}
