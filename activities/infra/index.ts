/**
 * The namespace's activities: apply, prune, tiers, freeze. Every method may run twice, or run and
 * lose its reply, with the same result (I9), and touches only what this project made (I6, I8).
 */
import { log } from '../../local/log.ts';
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Fenced, Moment } from '../../shared/moment.ts';
import type { InfraActivities } from '../../shared/ports.ts';
import type { ObjectChanges } from '../../shared/restore/plan.ts';
import { COMPUTE } from '../../shared/services/built-ins.ts';
import { setLogins, startCompute, stopCompute, stopWorkloads } from './compute.ts';
import { compareMoments } from './compare-moments.ts';
import type { DeclaredMoment } from './compare-moments.ts';
import { convergeInfra } from './converge-infra.ts';
import { deleteNamespace } from './delete-namespace.ts';
import type { InfraDeps } from './infra-deps.ts';
import { createInfraRun, sideBySide } from './infra-run.ts';
import type { InfraRun } from './infra-run.ts';
import { ensureNamespace, raiseFence, setGateway } from './namespace.ts';
import { readServed } from './read-served.ts';
import type { ServedNamespace } from './read-served.ts';
import { readNamespace } from './read-namespace.ts';
import type { NamespaceReading } from './read-namespace.ts';
import { awaitUp, awaitWorkloadsGone } from './rollout.ts';
import { readServiceAddress, runStep } from './service-steps.ts';
import { startTiers } from './start-tiers.ts';
import { surveyNamespace } from './survey-namespace.ts';
import { SOON_MS, waitFor } from './waiting.ts';

/** The gateway cuts what is under way after 5 s. */
const DRAIN_LIMIT_MS = 30_000;

export interface InfraReads {
  /** Where the project's compute answers from here; `Unavailable` while it has no Service. */
  computeAddress(projectId: ProjectId): Promise<{ host: string; port: number }>;
  readNamespace(input: { projectId: ProjectId; moment: Moment; running: boolean }): Promise<NamespaceReading>;
  /** What a sweep asks of the namespace. */
  readServed(input: { projectId: ProjectId; moment: Moment }): Promise<ServedNamespace>;
  /** What going from one moment to the other would create, configure and delete. */
  compareMoments(projectId: ProjectId, moments: { now: DeclaredMoment; then: DeclaredMoment }): Promise<ObjectChanges>;
  /** What a restore between these moments will meet in the namespace, in words; refused when something of others is in the way. */
  surveyNamespace(projectId: ProjectId, moments: readonly DeclaredMoment[]): Promise<readonly string[]>;
}

export function createInfraActivities(deps: InfraDeps): InfraActivities & InfraReads {
  const begin = createInfraRun(deps);
  return {
    ensureNamespace: async (input) => { await ensureNamespace(begin(), input); },
    ensureSecrets: async ({ projectId, moment }) => { await deps.secrets.ensure(projectId, await deps.declaredOf(projectId, moment.checkpointId)); },
    startCompute: async (input) => { await startCompute(begin(), input); },
    stopCompute: async (input) => await stopCompute(begin(), input),

    async freeze(input) {
      const run = begin();
      await raiseFence(run, input, 'restoring');
      await drain(run, input);
      // Nothing of a client's is under way any more: apps and logins go side by side, while it waits.
      await sideBySide(run, (part) => stopWorkloads(part, input), (part) => setLogins(part, input, 'admin'));
      if (!input.computeNext) await awaitWorkloadsGone(run.rollout(input.projectId));
    },

    convergeInfra: async (input) => await convergeInfra(begin(), input),
    startTiers: async (input) => await startTiers(begin(), input),

    async seedServices({ projectId, services }) {
      const run = begin();
      for (const service of deps.registry.declared(services)) {
        if (service.steps.seed === undefined) continue;
        const down = await awaitUp(run.rollout(projectId), new Map([[service.id, service.readyCheck.startupSeconds * 1_000]]));
        // Already answered as degraded; its seed would wait for ever.
        if (down.size > 0) log('warn', 'not seeded: the service is not up', { projectId, service: service.id });
        else await runStep(run, { projectId, service, step: service.steps.seed });
      }
    },

    async open(input) {
      const run = begin();
      await setLogins(run, input, 'all');
      await setGateway(run, input, 'open');
    },

    async deleteNamespace(input) {
      await deleteNamespace(begin(), input);
      await deps.secretStore.deleteSecrets(input.projectId);
    },

    computeAddress: async (projectId) => await readServiceAddress(deps.kube, projectId, COMPUTE),
    readNamespace: async (input) => await readNamespace(begin(), input),
    readServed: async (input) => await readServed(begin(), input),
    compareMoments: async (projectId, moments) => await compareMoments(deps, projectId, moments),
    surveyNamespace: async (projectId, moments) => await surveyNamespace(begin(), projectId, moments),
  };
}

async function drain({ deps, context }: InfraRun, { projectId }: Fenced): Promise<void> {
  const drained = await waitFor(context, DRAIN_LIMIT_MS, async () => ((await deps.isDrained(projectId)) ? true : undefined), SOON_MS);
  if (!drained) throw new AdorableError('Unavailable', `The gateway still serves ${projectId}: it is asked again.`);
}

export { createDrainProbe } from './drain.ts';
export type { ActivityContext, ComputeData, InfraDeps, InfraSettings, ServiceStep } from './infra-deps.ts';
export { readServiceAddress, SERVICE_STEPS } from './service-steps.ts';
