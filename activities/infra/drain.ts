/** Asks the gateway whether a project's traffic has come to rest. */
import { AdorableError } from '../../shared/errors.ts';
import type { ProjectId } from '../../shared/ids.ts';

const ANSWER_MS = 3_000;

export function createDrainProbe(gatewayPort: number): (projectId: ProjectId) => Promise<boolean> {
  return async (projectId) => {
    try {
      const response = await fetch(`http://127.0.0.1:${String(gatewayPort)}/-/drain/${projectId}`, { signal: AbortSignal.timeout(ANSWER_MS) });
      // Unknown until the gateway has seen the namespace.
      if (response.status === 404) return false;
      const { frozen, inFlight } = (await response.json()) as { frozen: boolean; inFlight: number };
      return frozen && inFlight === 0;
    } catch (cause) {
      throw new AdorableError('Unavailable', 'The gateway does not say whether it is drained: see `adorable status`.', { cause });
    }
  };
}
