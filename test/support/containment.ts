/** What this machine can contain, found by trying, so that a test neither fails falsely nor passes unproven. */
import type { Contain } from '../../activities/producer/run-check.ts';
import { containment } from '../../local/containment/containment.ts';
import { containedCommand } from '../../local/containment/reach.ts';
import { obtain } from '../../local/engines/obtain.ts';

/** The helper, or undefined with the reason on stderr. */
export async function containHelper(): Promise<string | undefined> {
  const helper = await obtain('contain').catch((error: unknown) => {
    process.stderr.write(`containment: NOT proven here: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  });
  const { landlock, reason } = containment(helper);
  if (landlock !== undefined) return helper;
  process.stderr.write(`containment: NOT proven here: ${reason ?? ''}\n`);
  return undefined;
}

/** As `workers/compose.ts` contains checks. */
export async function containChecks(): Promise<Contain | undefined> {
  const helper = await containHelper();
  return helper === undefined ? undefined : (reach, command) => containedCommand(helper, { ...reach, connect: [], bind: [] }, command);
}
