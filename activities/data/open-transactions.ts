/** Transactions that are open now: read for plans and receipts, never ended from here. */
import type { OpenTransactions, PreparedTransaction } from '../../shared/restore/open-transactions.ts';
import type { Sql } from './adapters/postgres.ts';

/** Younger ones are requests under way, which the drain lets finish. */
const LONG_SECONDS = 10;
/** Of each list. */
const LISTED = 20;

export async function readOpenTransactions(sql: Sql): Promise<OpenTransactions> {
  const prepared = await sql.query<Omit<PreparedTransaction, 'since'> & { since: Date }>(
    'SELECT gid, owner::text AS owner, prepared AS since FROM pg_prepared_xacts WHERE database = current_database() ORDER BY prepared, gid LIMIT $1', [LISTED],
  );
  const sessions = await sql.query<{ user: string; since: Date }>(
    `SELECT usename::text AS "user", xact_start AS since FROM pg_stat_activity
      WHERE backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid() AND xact_start < now() - make_interval(secs => $1) ORDER BY xact_start LIMIT $2`,
    [LONG_SECONDS, LISTED],
  );
  return {
    prepared: prepared.map((row) => ({ ...row, since: row.since.toISOString() })),
    sessions: sessions.map(({ user, since }) => ({ user, since: since.toISOString() })),
  };
}
