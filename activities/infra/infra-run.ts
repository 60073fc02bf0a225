/** What one activity works with: its ports, its context, and texts kept clear of secrets. */
import type { ProjectId } from '../../shared/ids.ts';
import type { ApplyDeps } from './apply-objects.ts';
import { createCluster } from './cluster.ts';
import type { ActivityContext, InfraDeps } from './infra-deps.ts';
import { createInventory } from './inventory.ts';
import type { NamespaceDeps } from './namespace.ts';
import type { Rollout } from './rollout.ts';
import { NO_CONTEXT } from './waiting.ts';

export interface InfraRun extends ApplyDeps, NamespaceDeps {
  readonly deps: InfraDeps;
  rollout(projectId: ProjectId): Rollout;
  /** The same, but its waits also end with this signal. */
  until(signal: AbortSignal): InfraRun;
  /** A pod's own words may hold what its environment holds (I7). */
  withoutSecrets(projectId: ProjectId, text: string): Promise<string>;
}

export function createInfraRun(deps: InfraDeps): () => InfraRun {
  const cluster = createCluster(deps.kube);
  const inventory = createInventory(deps.database);
  const within = (context: ActivityContext): InfraRun => ({
    deps, cluster, inventory, context,
    until: (signal) => within({ ...context, signal: AbortSignal.any([context.signal, signal]) }),
    checksum: (text) => deps.secretStore.checksum(text),
    rollout: (projectId) => ({ cluster, context, projectId }),
    withoutSecrets: async (projectId, text) => (await deps.secrets.values(projectId)).reduce((clear, secret) => clear.replaceAll(secret, '…'), text),
  });
  return () => within(deps.context?.() ?? NO_CONTEXT);
}

/** Two pieces of one activity: the first to fail ends the other's waits, and is told when both have ended, so that nothing runs on into the next attempt. */
export async function sideBySide<A, B>(run: InfraRun, one: (run: InfraRun) => Promise<A>, other: (run: InfraRun) => Promise<B>): Promise<[A, B]> {
  const stop = new AbortController();
  let failed: { readonly error: unknown } | undefined;
  const both = [one(run.until(stop.signal)), other(run.until(stop.signal))] as const;
  await Promise.all(both.map((piece) => piece.catch((error: unknown) => {
    failed ??= { error };
    stop.abort();
  })));
  if (failed !== undefined) throw failed.error;
  return await Promise.all(both);
}
