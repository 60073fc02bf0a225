import pg from 'pg';

// Identifiers and cents fit a double exactly; a date is a calendar day, not an instant.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);
pg.types.setTypeParser(pg.types.builtins.DATE, (day) => day);

/** Connection and credentials come from the PG* environment; the role sets the search path. */
export const pool = new pg.Pool({
  max: 4,
  idleTimeoutMillis: 30_000,
  connectionTimeoutMillis: 5_000,
  statement_timeout: 10_000,
});

// The database may be restarted at any time: a lost connection is replaced, never fatal.
pool.on('error', (error) => console.warn(`database connection lost: ${error.message}`));
pool.on('connect', (client) => client.on('error', () => undefined));

export async function rows<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
  return (await pool.query<Row>(text, values)).rows;
}
