/** Looks for the platform's and the projects' secrets where none may be: histories, logs, git, rows and objects (I7). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { layout } from '../../local/paths.ts';
import type { Client } from '@temporalio/client';
import type { ProjectId } from '../../shared/ids.ts';
import type { Problem } from './check-project.ts';
import type { Engines } from './engines.ts';
import { secretsIn } from './read-objects.ts';

export function platformSecrets(data: string): string[] {
  const { secrets } = layout(data);
  return readdirSync(secrets, { withFileTypes: true }).filter((entry) => entry.isFile()).flatMap((entry) => secretsIn(readFileSync(join(secrets, entry.name), 'utf8').trim()));
}

/** Everything that a run and its children left in their histories, payloads decoded. */
export async function historyText(client: Client, workflowId: string, runId?: string): Promise<string> {
  const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('utf8'));
    else if (typeof value === 'string') texts.push(value);
    else if (value !== null && typeof value === 'object') Object.values(value).forEach(collect);
  };
  for (const event of events ?? []) {
    collect(event);
    const child = event.childWorkflowExecutionStartedEventAttributes?.workflowExecution;
    if (child?.workflowId != null) texts.push(await historyText(client, child.workflowId, child.runId ?? undefined));
  }
  return texts.join('\n');
}

export function secretsFound(where: string, text: string, secrets: readonly string[]): Problem[] {
  return secrets.some((secret) => text.includes(secret)) ? [{ kind: 'secret', what: `a secret stands in ${where}` }] : [];
}

/** What is written in other places than histories: once at the end, since it only grows. */
export async function secretsAtRest(engines: Engines, projects: readonly ProjectId[], secrets: readonly string[]): Promise<Problem[]> {
  const { database } = engines.platform.open;
  const paths = layout(engines.platform.data);
  const logs = readdirSync(paths.logs, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const rows = await database.query<{ text: string }>(`SELECT to_jsonb(o)::text AS text FROM operations o UNION ALL SELECT to_jsonb(c)::text FROM checkpoints c UNION ALL SELECT to_jsonb(r)::text FROM plan_revisions r`);
  const git = await Promise.all(projects.map(async (id) => await engines.git(id, 'log', '--all', '--patch', '--format=%B')));
  return [
    ...logs.flatMap((file) => secretsFound(file.slice(paths.logs.length + 1), readFileSync(file, 'utf8'), secrets)),
    ...secretsFound('a row of the platform database', rows.map((row) => row.text).join('\n'), secrets),
    ...git.flatMap((text, index) => secretsFound(`git of ${projects[index] ?? ''}`, text, secrets)),
  ];
}
