/**
 * The real engines as a driver: one platform for all walks, a project for each. What is looked at is
 * read from git, SQL and the platform's rows, and `verify` must find no difference.
 */
import { Client, Connection } from '@temporalio/client';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addTransaction } from '../../../cli/story/tell.ts';
import { openWorld } from '../../../cli/story/world.ts';
import type { World } from '../../../cli/story/world.ts';
import type { Started } from '../../../client/runtime.ts';
import { layout } from '../../../local/paths.ts';
import { projectWorkflowId } from '../../../shared/contract/operation.ts';
import type { OperationOutcome } from '../../../shared/contract/operation.ts';
import { tenantIdOf } from '../../../shared/derive.ts';
import { AdorableError } from '../../../shared/errors.ts';
import type { OperationId, ProjectId } from '../../../shared/ids.ts';
import { startPlatform } from '../../support/platform.ts';
import type { TestPlatform } from '../../support/platform.ts';
import { activitiesOf } from '../boundaries.ts';
import type { Driver, Operation, Performed, Session, Sight, Trouble } from './driver.ts';

const MESSAGES: Readonly<Record<string, string>> = { 'personal-finance': 'a personal finance tracker', 'task-board': 'a task board' };
const PATIENCE_MS = 120_000;

export async function openRealDriver(): Promise<Driver> {
  const platform = await startPlatform({ directus: false });
  const connection = await Connection.connect({ address: `127.0.0.1:${String(platform.open.platform.ports.temporal)}` });
  const client = new Client({ connection });
  return {
    slugs: Object.keys(MESSAGES), writable: new Set(['personal-finance']), changesApps: false, troubles: ['cancel', 'kill the worker', 'terminate'],
    async open() {
      const created = await platform.open.runtime.createProject('Walk');
      await created.result;
      return new RealSession(platform, client, created);
    },
    async close() {
      await connection.close();
      await platform.close();
    },
  };
}

class RealSession implements Session {
  readonly first: OperationId;
  readonly #platform: TestPlatform;
  readonly #client: Client;
  readonly #projectId: ProjectId;
  readonly #world: World;

  constructor(platform: TestPlatform, client: Client, { projectId, operationId }: { projectId: ProjectId; operationId: OperationId }) {
    this.first = operationId;
    this.#platform = platform;
    this.#client = client;
    this.#projectId = projectId;
    this.#world = openWorld(platform.open.platform, projectId);
  }

  async perform(operation: Operation, troubles: readonly Trouble[]): Promise<Performed> {
    const started = await this.#start(operation);
    const answer = started.result.catch(() => undefined); // Terminated, or left open: the row says what became of it.
    for (const trouble of [...troubles].sort((a, b) => a.at - b.at)) await this.#befall(trouble);
    const outcome = await answer;
    const [row] = await this.#query<{ outcome: string | null }>('SELECT outcome FROM operations WHERE id = $1', [started.operationId]);
    const recovers = row !== undefined && row.outcome === null;
    if (recovers) await (await this.#platform.open.runtime.recover(this.#projectId)).result;
    const [after] = recovers ? await this.#query<{ outcome: string | null }>('SELECT outcome FROM operations WHERE id = $1', [started.operationId]) : [row];
    return { operationId: started.operationId, outcome: after?.outcome ?? 'unchanged', ...(outcome?.failure === undefined ? {} : { failure: outcome.failure }) };
  }

  async write(_slug: string, row: number): Promise<void> {
    await addTransaction(this.#world, String(row), 100);
  }

  edit(note: string): Promise<void> {
    writeFileSync(this.#note(), note);
    return Promise.resolve();
  }

  async look(): Promise<Sight> {
    const [finance] = await this.#query<{ id: string }>(`SELECT id FROM project_apps WHERE project_id = $1 AND slug = 'personal-finance' AND state = 'live' AND archived_at IS NULL`, [this.#projectId]);
    const rows = finance === undefined ? [] : await this.#world.sql<{ description: string }>(`SELECT description FROM "${finance.id}".transactions ORDER BY description::int`);
    return { apps: await this.#world.appDirs(), rows: rows.map(({ description }) => Number(description)), note: existsSync(this.#note()) ? readFileSync(this.#note(), 'utf8') : null };
  }

  async problems(): Promise<readonly string[]> {
    const { open } = this.#platform;
    const receipt = await open.runtime.verify(this.#projectId);
    // What people have changed and nobody committed yet is theirs, and the next operation's to commit.
    const found = receipt.differences.filter(({ what }) => what !== 'the worktree').map((d) => `${d.store}: ${d.what} is ${d.found}, not ${d.expected}`);
    const live = await open.timelines.listTimelines(tenantIdOf(this.#projectId));
    const known = await this.#query<{ id: string }>(`SELECT timeline_id AS id FROM checkpoints WHERE project_id = $1 AND status = 'complete' UNION SELECT timeline_id FROM projects WHERE id = $1`, [this.#projectId]);
    found.push(...live.filter((timeline) => !known.some((row) => row.id === timeline.timeline_id)).map((timeline) => `leaked fork ${timeline.timeline_id}`));
    const left = await this.#query<{ what: string }>(
      `SELECT 'leaked intent ' || id AS what FROM checkpoints WHERE project_id = $1 AND status = 'intent'
       UNION SELECT 'pending app ' || id FROM project_apps WHERE project_id = $1 AND state = 'pending'
       UNION SELECT 'open operation ' || id FROM operations WHERE project_id = $1 AND outcome IS NULL`, [this.#projectId],
    );
    return [...found, ...left.map(({ what }) => what)];
  }

  async close(): Promise<void> {
    await this.#world.close();
    await (await this.#platform.open.runtime.deleteProject(this.#projectId)).result;
  }

  async #start(operation: Operation): Promise<Started<OperationOutcome>> {
    const { runtime } = this.#platform.open;
    if (operation.kind === 'bookmark') return await runtime.bookmark(this.#projectId, 'here');
    if (operation.kind === 'restore') return await runtime.restore(this.#projectId, operation.target, { mode: operation.mode, acceptDrift: operation.acceptDrift });
    await runtime.chat(this.#projectId, operation.creates.map((slug) => MESSAGES[slug] ?? slug).join(' and '));
    return await runtime.approvePlan(this.#projectId);
  }

  /** Once the run has scheduled as many activities; a run that has fewer is left alone. */
  async #befall({ what, at }: Trouble): Promise<void> {
    const workflowId = projectWorkflowId(this.#projectId);
    const handle = this.#client.workflow.getHandle(workflowId);
    for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(10)) {
      if ((await activitiesOf(this.#client, workflowId)).length > at) break;
      if ((await handle.describe()).status.name !== 'RUNNING') return;
    }
    if (what === 'kill the worker') await this.#platform.killWorker();
    if (what === 'terminate') await handle.terminate('injected').catch(ended);
    if (what === 'cancel') await this.#platform.open.runtime.cancel(this.#projectId, 'injected').catch(ended);
  }

  async #query<Row>(text: string, values: readonly unknown[]): Promise<Row[]> {
    return await this.#platform.open.database.query<Row>(text, values);
  }

  #note(): string {
    return join(layout(this.#platform.data).projects, this.#projectId, 'repo', 'NOTES.md');
  }
}

/** It may have closed in between; then there is nothing to steer. */
function ended(error: unknown): undefined {
  if (error instanceof AdorableError && error.type === 'PreconditionFailed') return undefined;
  if ((error as { readonly name?: string }).name === 'WorkflowNotFoundError') return undefined;
  throw error;
}
