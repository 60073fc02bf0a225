/**
 * Numbered rows through the app's API and through an SQL login of its own while a project is undone
 * and redone. A row that was acknowledged before the freeze is there afterwards; one that was
 * acknowledged after the undo opened is in the moment that the redo left; none is there twice (I3).
 */
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import type { World } from '../../cli/story/world.ts';
import { leaks, storesAgree, torn } from './check-project.ts';
import type { Problem } from './check-project.ts';
import { until } from './engines.ts';
import type { Lane } from './lane.ts';
import { readProject } from './read-project.ts';
import { runCase } from './run-case.ts';
import type { Ended, Put } from './run-case.ts';

type Door = 'api' | 'sql';

interface Writer {
  /** Numbers acknowledged so far, each tried once: what got no answer is never sent again. */
  readonly acknowledged: readonly string[];
  stop(): Promise<void>;
}

let series = 0;

async function openWriter(world: World, door: Door): Promise<Writer> {
  series += 1;
  const acknowledged: string[] = [];
  const login = { user: await world.secret('app-personal-finance-env', 'PGUSER'), password: await world.secret('app-personal-finance-env', 'PGPASSWORD') };
  let running = true;
  const work = (async () => {
    for (let number = 1; running; number += 1) {
      const name = `${door}-${String(series)}-${String(number).padStart(5, '0')}`;
      try {
        if (door === 'api') await addTransaction(world, name, 100);
        else await insert(world, login, name);
        acknowledged.push(name);
      } catch {
        // Refused or cut off: not acknowledged, so it may be there or not.
      }
      await sleep(20);
    }
  })();
  return { acknowledged, stop: async () => { running = false; await work; } };
}

async function insert(world: World, login: { user: string; password: string }, name: string): Promise<void> {
  const client = new pg.Client({ ...(await world.computeAddress()), ...login, connectionTimeoutMillis: 3000, query_timeout: 5000 });
  client.on('error', () => undefined); // A backend that a freeze ended: the pending query says so.
  await client.connect();
  try {
    await client.query(`INSERT INTO transactions (account_id, category_id, occurred_on, description, amount_cents)
      SELECT (SELECT min(id) FROM accounts), (SELECT min(id) FROM categories), current_date, $1, 100`, [name]);
  } finally {
    await client.end();
  }
}

/** What is wrong after an undo with this fault, and the redo where it went through, with two writers running all the while; empty when nothing was lost. */
export async function writeWhile({ engines, ground, took }: Pick<Lane, 'engines' | 'ground' | 'took'>, put?: Put): Promise<{ readonly outcome: string; readonly problems: readonly Problem[] }> {
  const { projectId, world } = ground;
  const restore = (target: 'undo' | 'redo', fault?: Put): Promise<Ended> => runCase(engines, { workflow: 'restoreProject', projectId, request: { target, mode: 'all' } }, { took: took('restore undo') }, fault);
  await ground.goTo('two');
  const writers = [await openWriter(world, 'api'), await openWriter(world, 'sql')];
  await sleep(1500);
  const undone = await restore('undo', put);
  await Promise.all(writers.map((writer) => writer.stop()));
  const left = new Set(await until('the rows', () => transactions(world)));
  const went = undone.outcome === 'restored';
  const redone = went ? await restore('redo') : undefined;
  const rows = await until('the rows', () => transactions(world));
  const found: Problem[] = [...undone.problems, ...(redone?.problems ?? [])];
  if (redone !== undefined && redone.outcome !== 'restored') found.push(torn(`the redo ended as ${String(redone.outcome)}`));
  const kept = new Set(rows);
  if (kept.size !== rows.length) found.push(torn(`${String(rows.length - kept.size)} rows are there twice`));
  for (const { acknowledged } of writers) {
    const before = acknowledged.filter((name) => kept.has(name));
    // A fault that could not be put proves nothing, and neither does a writer that never wrote before the freeze.
    if (before.length === 0) found.push({ kind: 'harness', what: 'no row was written before the freeze' });
    found.push(...acknowledged.filter((name) => !kept.has(name) && !(went && left.has(name))).map((name) => lost(name)));
    // What is only in the undone moment was written after it opened: later than every row that the redo brought back.
    const last = before.at(-1) ?? '';
    found.push(...acknowledged.filter((name) => !kept.has(name) && name < last).map((name) => lost(name)));
  }
  const now = await until('a reading', () => readProject(engines, world, projectId));
  found.push(...storesAgree(now), ...leaks(now));
  ground.holds(rows);
  return { outcome: `${undone.outcome ?? 'never began'}${undone.recovered ? ' by recover' : ''}`, problems: found };
}

const lost = (name: string): Problem => ({ kind: 'lost', what: `${name} was acknowledged and is gone` });
