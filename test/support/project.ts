/** A project of a suite's own, and what most suites begin with. */
import { openWorld } from '../../cli/story/world.ts';
import type { World } from '../../cli/story/world.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { TestPlatform } from './platform.ts';

export async function createProject({ open }: TestPlatform, name: string): Promise<ProjectId> {
  const { projectId, result } = await open.runtime.createProject(name);
  const outcome = await result;
  if (outcome.outcome !== 'provisioned') throw new Error(`${name} was not made: ${JSON.stringify(outcome)}`);
  return projectId;
}

/** The caller closes its world. */
export async function openProject(platform: TestPlatform, name: string): Promise<{ readonly projectId: ProjectId; readonly world: World }> {
  const projectId = await createProject(platform, name);
  return { projectId, world: openWorld(platform.open.platform, projectId) };
}

/** A sentence proposed and approved, and everything up. */
export async function generate({ open }: TestPlatform, projectId: ProjectId, message: string): Promise<void> {
  await open.runtime.chat(projectId, message);
  const outcome = await (await open.runtime.approvePlan(projectId)).result;
  if (outcome.outcome !== 'generated' || outcome.health !== 'healthy') throw new Error(`"${message}" was not generated: ${JSON.stringify(outcome)}`);
}
