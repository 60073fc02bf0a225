/**
 * Numbered rows through the app's API and through an SQL login of its own while a project is undone
 * and redone. A row that was acknowledged before the freeze is there afterwards; one that was
 * acknowledged after the undo opened is in the moment that the redo left; none is there twice (I3).
 */
import pg from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { addTransaction, transactions } from '../../cli/story/tell.ts';
import type { World } from '../../cli/story/world.ts';
import type { RealEngines, RealFault } from './real-engines.ts';
import type { Boundary } from './boundaries.ts';

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

/** What is wrong after undo and redo with two writers running; empty when nothing was lost. */
export async function writeWhile({ restore, world }: RealEngines, at?: { boundary: Boundary; fault: RealFault }): Promise<string[]> {
  const writers = [await openWriter(world, 'api'), await openWriter(world, 'sql')];
  await sleep(1500);
  const undone = await restore('undo', at);
  await Promise.all(writers.map((writer) => writer.stop()));
  const left = new Set(await transactions(world));
  const redone = await restore('redo', at);
  const rows = await transactions(world);
  const found = [...undone.problems, ...redone.problems];
  if (undone.outcome !== 'restored' || redone.outcome !== 'restored') found.push(`undo ended ${undone.outcome}, redo ${redone.outcome}`);
  const kept = new Set(rows);
  if (kept.size !== rows.length) found.push(`${String(rows.length - kept.size)} rows are there twice`);
  for (const { acknowledged } of writers) {
    if (acknowledged.length === 0) found.push('a writer wrote nothing');
    const before = acknowledged.filter((name) => kept.has(name));
    if (before.length === 0) found.push('no row was written before the freeze');
    found.push(...acknowledged.filter((name) => !kept.has(name) && !left.has(name)).map((name) => `lost ${name}`));
    // What is only in the undone moment was written after it opened: later than every row that the redo brought back.
    const last = before.at(-1) ?? '';
    found.push(...acknowledged.filter((name) => !kept.has(name) && name < last).map((name) => `${name} was acknowledged before the freeze and is gone`));
  }
  return found;
}
