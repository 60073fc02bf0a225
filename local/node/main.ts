/**
 * The process node: `node main.ts --data DIR`. It runs the pods that Kubernetes binds to Node
 * `adorable` as local processes and carries Services to them. What an earlier node left running is
 * ended before anything is started (I6).
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { obtain } from '../engines/obtain.ts';
import { containment } from '../containment/containment.ts';
import { connectKube } from '../kube-client.ts';
import { startReflector } from '../kube-reflector.ts';
import { errorFields, log } from '../log.ts';
import { dataDir, layout } from '../paths.ts';
import { kubeconfigPath, readPlatform } from '../platform.ts';
import { projectUid } from '../uids.ts';
import { createPrepare } from './prepare-container.ts';
import { createRunners } from './images.ts';
import { installRunners } from './install-runners.ts';
import { isManaged, type Namespace, type Service } from './kube-types.ts';
import { startNodeAgent } from './node-agent.ts';
import { registerNode } from './node-registration.ts';
import { ensureNodeRights } from './node-rights.ts';
import { mirrorOf, openPodAddresses } from './pod-addresses.ts';
import { createPodEvents } from './pod-events.ts';
import { createPodLogs } from './pod-logs.ts';
import { openPodRecords } from './pod-records.ts';
import { createServicePorts } from './service-ports.ts';
import { createServiceProxy } from './service-proxy.ts';

/** The supervisor waits 5 s for a part to end. */
const STOP_MS = 4_000;

const { values } = parseArgs({ options: { data: { type: 'string' } } });
const data = dataDir(values.data);
const paths = layout(data);
const platform = readPlatform(data);
const ready = join(paths.run, 'node.ready');
rmSync(ready, { force: true });

for (const directory of [paths.node, join(paths.node, 'scratch')]) mkdirSync(directory, { recursive: true, mode: 0o711 });
mkdirSync(dirname(ready), { recursive: true });
const records = openPodRecords(join(paths.node, 'pods'));
await records.reap(3_000);
installRunners(paths.runners);
await retry('granting rights', () => ensureNodeRights(data));

const found = containment(platform.engines.contain);
if (found.reason !== undefined) log('warn', 'pods are not fully contained', { ...found });
const helper = found.landlock === undefined ? undefined : platform.engines.contain;
const contain = helper === undefined ? undefined : { helper, ports: createServicePorts(platform.loopback.services) };

const kube = connectKube(kubeconfigPath(data, 'node'));
const abort = new AbortController();
const namespaces = startReflector<Namespace>({ kube, path: '/api/v1/namespaces', onChange: () => reconcileProxy() });
const services = startReflector<Service>({ kube, path: '/api/v1/services', onChange: () => reconcileProxy() });
const proxy = createServiceProxy((namespace) => agent?.readyPods(namespace) ?? [], contain?.ports);

/** Once per turn of the loop: a list of a hundred Services is one reconciliation. */
let pending = false;
function reconcileProxy(): void {
  if (pending) return;
  pending = true;
  setImmediate(() => {
    pending = false;
    const ours = new Set([...namespaces.items.values()].filter(isManaged).map((namespace) => namespace.metadata.name));
    contain?.ports.keep([...services.items.values()]);
    proxy.reconcile([...services.items.values()].filter((service) => ours.has(service.metadata.namespace ?? '')));
  });
}

await Promise.all([namespaces.synced, services.synced]);
const runners = createRunners({
  layout: paths,
  platform: () => platform,
  obtainDirectus: async (progress) => await obtain('directus', (event) => progress(event.detail)),
});
const agent = startNodeAgent({
  kube,
  records,
  addresses: openPodAddresses(join(paths.node, 'addresses.json')),
  logs: createPodLogs(paths.podLogs),
  scratch: join(paths.node, 'scratch'),
  mirror: (podIP) => mirrorOf(podIP, platform.loopback.podPrefix),
  prepare: createPrepare({
    kube, platform, layout: paths, contain, runners,
    namespaces: () => [...namespaces.items.values()],
    services: () => [...services.items.values()],
    uidOf: (projectId, role) => projectUid(data, projectId, role),
  }),
  event: createPodEvents(kube),
  changed: () => undefined,
});
await registerNode(kube, platform.instance, abort.signal);
await agent.synced;
writeFileSync(ready, JSON.stringify({ pid: process.pid }));
log('info', 'ready', { ready: true, part: 'node' });

async function stop(): Promise<void> {
  rmSync(ready, { force: true });
  abort.abort();
  await agent.stop(STOP_MS - 500);
  await Promise.all([proxy.close(), namespaces.stop(), services.stop()]);
}

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => {
    log('info', 'stopping', { signal: name });
    void Promise.race([stop(), sleep(STOP_MS)])
      .catch((error: unknown) => log('error', 'not stopped cleanly', errorFields(error)))
      .finally(() => process.exit(0));
  });
}

async function retry(what: string, work: () => Promise<void>): Promise<void> {
  for (let backoff = 200; ; backoff = Math.min(backoff * 2, 2_000)) {
    try {
      await work();
      return;
    } catch (error) {
      log('warn', `${what} failed, trying again`, errorFields(error));
      await sleep(backoff);
    }
  }
}
