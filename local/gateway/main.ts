/**
 * The gateway: `node main.ts --data DIR`. One address for people; it knows what to answer from
 * watches of the Kubernetes API and takes no connection before all of them were listed once (I4).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectKube } from '../kube-client.ts';
import { startReflector } from '../kube-reflector.ts';
import { log } from '../log.ts';
import { isManaged, type Ingress, type Namespace, type Pod, type Service } from '../node/kube-types.ts';
import { mirrorOf } from '../node/pod-addresses.ts';
import { dataDir } from '../paths.ts';
import { kubeconfigPath, readPlatform } from '../platform.ts';
import { createDrains } from './drains.ts';
import { createGateway } from './gateway-server.ts';
import { isRestoring } from './routes.ts';

const { values } = parseArgs({ options: { data: { type: 'string' } } });
const data = dataDir(values.data);
const platform = readPlatform(data);
const kube = connectKube(kubeconfigPath(data, 'gateway'));
const drains = createDrains();

const namespaces = startReflector<Namespace>({
  kube, path: '/api/v1/namespaces',
  onChange: (namespace, gone) => {
    if (!isManaged(namespace)) return;
    if (gone || isRestoring(namespace)) drains.drain(namespace.metadata.name);
    else drains.open(namespace.metadata.name);
  },
});
const ingresses = startReflector<Ingress>({ kube, path: '/apis/networking.k8s.io/v1/ingresses' });
const services = startReflector<Service>({ kube, path: '/api/v1/services' });
const pods = startReflector<Pod>({ kube, path: '/api/v1/pods' });
const reflectors = [namespaces, ingresses, services, pods];
await Promise.all(reflectors.map((reflector) => reflector.synced));

const server = createGateway({
  drains,
  world: { namespaces: namespaces.items, ingresses: ingresses.items, services: services.items, pods: pods.items },
  mirror: (podIP) => mirrorOf(podIP, platform.loopback.podPrefix),
});
server.on('error', (error) => {
  log('error', `Port ${String(platform.ports.gateway)} of the gateway cannot be used: ${error.message}`, { type: 'PortTaken' });
  process.exit(1);
});
server.listen(platform.ports.gateway, '127.0.0.1', () => log('info', 'ready', { ready: true, part: 'gateway' }));

for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => {
    server.close();
    server.closeIdleConnections();
    void Promise.race([Promise.all(reflectors.map((reflector) => reflector.stop())), sleep(2_000)]).finally(() => process.exit(0));
  });
}
