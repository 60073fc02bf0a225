/**
 * What the database itself says it serves: its control file and the history file of its promotion.
 * A custom setting proves nothing, since any user can SET one (I1).
 */
import type { Sql } from './adapters/postgres.ts';

export interface Serving {
  readonly systemId: string;
  readonly pgTimelineId: number;
  /** The last line of the history file: parent, the LSN of the fork, reason; empty on a first timeline. */
  readonly history: string;
}

export async function readServing(sql: Sql): Promise<Serving> {
  const [row] = await sql.query<{ system: string; id: number; history: string | null }>(
    `SELECT system_identifier::text AS system, c.timeline_id AS id,
       pg_read_file('pg_wal/' || lpad(upper(to_hex(c.timeline_id)), 8, '0') || '.history', true) AS history
     FROM pg_control_system(), pg_control_checkpoint() c`,
  );
  const lines = (row?.history ?? '').split('\n').filter((line) => /^\d/.test(line));
  return { systemId: row?.system ?? '', pgTimelineId: row?.id ?? 0, history: (lines.at(-1) ?? '').replaceAll('\t', ' ') };
}
