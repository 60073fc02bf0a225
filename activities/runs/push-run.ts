/**
 * What `resumeRun` asks of Temporal, whichever way it came: the Web UI's button, the CLI or the API.
 * The connection is made by the first push and kept: most workers never need one.
 */
import type { ProjectId } from '../../shared/ids.ts';
import type { RunsActivities } from '../../shared/ports.ts';

export interface TemporalPush {
  push(projectId: ProjectId): Promise<void>;
  close(): Promise<void>;
}

export interface Runs {
  readonly activities: RunsActivities;
  close(): Promise<void>;
}

export function createRuns(connect: () => Promise<TemporalPush>): Runs {
  let gate: Promise<TemporalPush> | undefined;
  const connected = async (): Promise<TemporalPush> => {
    gate ??= connect();
    try {
      return await gate;
    } catch (error) {
      // The next attempt connects anew.
      gate = undefined;
      throw error;
    }
  };
  return {
    activities: { pushRun: async ({ projectId }) => { await (await connected()).push(projectId); } },
    close: async () => { await (await gate)?.close(); },
  };
}
