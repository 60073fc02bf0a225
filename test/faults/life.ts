/**
 * The ground of what makes and deletes projects: each run has a project of its own, and where there is
 * none, none of the four stores knows of one any more.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layout } from '../../local/paths.ts';
import { tenantIdOf } from '../../shared/derive.ts';
import type { ProjectId } from '../../shared/ids.ts';
import { namespaceName } from '../../shared/manifests/names.ts';
import type { Problem } from './check-project.ts';
import { torn } from './check-project.ts';
import type { Engines } from './engines.ts';
import { must } from './ground.ts';
import type { Ground } from './ground.ts';
import { namespaceExists } from './read-objects.ts';

export function createLife(engines: Engines): Ground {
  const { runtime } = engines.platform.open;
  let place: 'absent' | 'provisioned' = 'absent';
  let projectId: ProjectId | undefined;
  return {
    get place() { return place; },
    rows: [],
    foreignUid: undefined,
    async goTo(wanted) {
      if (wanted === place) return;
      if (wanted === 'provisioned') {
        const started = await runtime.createProject('A life');
        ({ projectId } = started);
        await must(Promise.resolve(started), 'provisioned');
      } else if (projectId !== undefined) await must(runtime.deleteProject(projectId), 'deleted');
      place = wanted === 'provisioned' ? 'provisioned' : 'absent';
    },
    begin(shape) {
      if (shape.from === 'absent') projectId = freshProject();
      if (projectId === undefined) throw new Error('there is no project to delete');
      const operation = shape.from === 'absent' ? { workflow: 'provisionProject', projectId, request: { name: 'A life' } } : { workflow: 'deleteProject', projectId, request: {} };
      return Promise.resolve({ operation, rows: [] });
    },
    went(shape, allTheWay) { place = (allTheWay ? shape.to : shape.from) === 'absent' ? 'absent' : 'provisioned'; },
  };
}

let made = 0;

function freshProject(): ProjectId {
  made += 1;
  return `l${Date.now().toString(36).slice(-6)}${made.toString(36).padStart(3, '0')}` as ProjectId;
}

/** Nothing of the project is left in any store, but rows that are archived (I2). */
export async function traces({ platform, kube, projectPath }: Engines, projectId: ProjectId): Promise<Problem[]> {
  const { database } = platform.open;
  const paths = layout(platform.data);
  const left = (what: string): Problem => ({ kind: 'leaked', what });
  const count = async (sql: string): Promise<number> => Number((await database.query<{ count: string }>(sql, [projectId]))[0]?.count);
  const found: Problem[] = [];
  if (await namespaceExists(kube, projectId)) found.push(left('the namespace'));
  if (existsSync(projectPath(projectId))) found.push(left('the repository'));
  if (existsSync(join(paths.timelines, tenantIdOf(projectId)))) found.push(left('the timelines'));
  if (existsSync(join(paths.timelines, 'endpoints', `${projectId}.json`))) found.push(left("the compute's configuration"));
  if (await count(`SELECT count(*) FROM checkpoints WHERE project_id = $1 AND status <> 'void'`) > 0) found.push(left('checkpoints'));
  if (await count('SELECT count(*) FROM inventory WHERE project_id = $1') > 0) found.push(left('the inventory'));
  if (await count('SELECT count(*) FROM project_secrets WHERE project_id = $1') > 0) found.push(left('secrets'));
  if (await count('SELECT count(*) FROM operations WHERE project_id = $1 AND outcome IS NULL') > 0) found.push(left('an open operation'));
  // A row that no operation ever claimed holds nothing.
  if (await count(`SELECT count(*) FROM projects p WHERE id = $1 AND status <> 'archived' AND EXISTS (SELECT FROM operations WHERE project_id = p.id)`) > 0) found.push(torn('its row is not archived'));
  found.push(...podsOf(platform.data, projectId).map((pod) => left(`pod ${pod}`)), ...processesOf(platform.data, projectId).map((pid) => left(`process ${String(pid)}`)));
  return found;
}

function podsOf(data: string, projectId: ProjectId): string[] {
  const folder = join(layout(data).node, 'pods');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { namespace: string; name: string })
    .filter((pod) => pod.namespace === namespaceName(projectId)).map((pod) => pod.name);
}

/** By what they were started with: other platforms on the machine have processes under the same uids. */
function processesOf(data: string, projectId: ProjectId): number[] {
  const names = [projectId, tenantIdOf(projectId)];
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      const text = ['cmdline', 'environ'].map((file) => readFileSync(`/proc/${String(pid)}/${file}`, 'utf8')).join(' ');
      return text.includes(data) && names.some((name) => text.includes(name));
    } catch {
      return false; // It ended, or is not ours to look at.
    }
  });
}
