/** What one activity works with: its ports, its context, and texts kept clear of secrets. */
import type { ProjectId } from '../../shared/ids.ts';
import type { ApplyDeps } from './apply-objects.ts';
import { createCluster } from './cluster.ts';
import type { InfraDeps } from './infra-deps.ts';
import { createInventory } from './inventory.ts';
import type { NamespaceDeps } from './namespace.ts';
import type { Rollout } from './rollout.ts';
import { NO_CONTEXT } from './waiting.ts';

export interface InfraRun extends ApplyDeps, NamespaceDeps {
  readonly deps: InfraDeps;
  rollout(projectId: ProjectId): Rollout;
  /** A pod's own words may hold what its environment holds (I7). */
  withoutSecrets(projectId: ProjectId, text: string): Promise<string>;
}

export function createInfraRun(deps: InfraDeps): () => InfraRun {
  const cluster = createCluster(deps.kube);
  const inventory = createInventory(deps.database);
  return () => {
    const context = deps.context?.() ?? NO_CONTEXT;
    return {
      deps, cluster, inventory, context,
      checksum: (text) => deps.secretStore.checksum(text),
      rollout: (projectId) => ({ cluster, context, projectId }),
      withoutSecrets: async (projectId, text) => (await deps.secrets.values(projectId)).reduce((clear, secret) => clear.replaceAll(secret, '…'), text),
    };
  };
}
