/**
 * Everything a container's process is given: command line, environment, uid, and what it may reach. Of
 * the node's own environment only PATH, LANG and TZ reach it (I10).
 */
import { join } from 'node:path';
import { containedCommand } from '../containment/reach.ts';
import type { KubeClient } from '../kube-client.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { Layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import type { UidRole } from '../uids.ts';
import type { Prepared } from './container-runtime.ts';
import { containerEnvironment } from './environment.ts';
import type { FindRunner } from './images.ts';
import { createKeyValueSource } from './key-value-source.ts';
import { isManaged, PROJECT_LABEL, type Container, type Namespace, type Pod, type Service } from './kube-types.ts';
import { reachOf } from './pod-reach.ts';
import type { PodPlace } from './pod-worker.ts';
import type { ServicePorts } from './service-ports.ts';
import { StartFailure } from './start-failure.ts';

interface PrepareInput {
  readonly kube: KubeClient;
  readonly platform: Platform;
  readonly layout: Layout;
  /** Where processes are contained: the helper, and the ports by which Services are told apart. */
  readonly contain: { readonly helper: string; readonly ports: ServicePorts } | undefined;
  readonly runners: FindRunner;
  namespaces(): readonly Namespace[];
  services(): readonly Service[];
  uidOf(projectId: string, role: UidRole): Promise<number | undefined>;
}

type Progress = (message: string) => void;

export function createPrepare(input: PrepareInput) {
  return async (pod: Pod, container: Container, at: PodPlace, progress: Progress): Promise<Prepared> => {
    const runner = input.runners(container.image);
    if (!runner) {
      throw new StartFailure('ErrImagePull', `There is no local runner for image ${container.image}: the process node runs adorable.dev/app:1, adorable.dev/compute:17 and directus/directus:11.17.4.`);
    }
    const namespace = pod.metadata.namespace ?? '';
    const owner = input.namespaces().find((candidate) => candidate.metadata.name === namespace);
    // A stranger's namespace gets a block of its own, never that of a project (I8).
    const projectId = (owner && isManaged(owner) && owner.metadata.labels?.[PROJECT_LABEL]) || `namespace:${namespace}`;
    const { argv, env: engineEnv } = await runner.argv(container, progress).catch((cause: unknown) => {
      if (cause instanceof AdorableError) throw new StartFailure('ErrImagePull', cause.message, { cause });
      throw cause;
    });
    const place = { POD_IP: at.address, SCRATCH: at.scratch };
    const { contain } = input;
    const services = input.services().filter((service) => service.metadata.namespace === namespace);
    const env = await containerEnvironment({
      pod, container, podIP: at.podIP,
      services: contain ? services.map((service) => contain.ports.seenBy(service)) : services,
      source: createKeyValueSource(input.kube, namespace),
      base: {
        ...inherited(), HOME: at.scratch, HOSTNAME: pod.metadata.name, TMPDIR: at.scratch, HOST: at.address, ...place, ...engines(input.platform), ...engineEnv,
      },
    }).catch((cause: unknown) => {
      throw new StartFailure('CreateContainerConfigError', (cause as Error).message, { cause });
    });
    // What ties a process to its place is not for manifests to change.
    Object.assign(env, place, { ADORABLE_INSTANCE: input.platform.instance, ADORABLE_POD_UID: pod.metadata.uid });
    const uid = await input.uidOf(projectId, runner.role);
    if (!contain) return { argv, env, uid };
    const reach = reachOf({ kind: runner.kind, pod, container, projectId, scratch: at.scratch, env, services, ports: contain.ports, platform: input.platform, layout: input.layout });
    return { argv: containedCommand(contain.helper, reach, argv), env, uid };
  };
}

function inherited(): Record<string, string> {
  const { PATH = '/usr/local/bin:/usr/bin:/bin', LANG = 'C.UTF-8', TZ = 'UTC' } = process.env;
  return { PATH, LANG, TZ };
}

function engines({ engines: paths }: Platform): Record<string, string> {
  return { NODE_BINARY: paths.node, POSTGRES_BIN: join(paths.postgres, 'bin') };
}

