/**
 * The database half of an app's readiness: one connection of our own, so that it says what the
 * database answers whatever the app's code does with its pool.
 */

/** @returns {Promise<() => Promise<string | undefined>>} resolves to why the database is not usable, if so */
export async function createDatabaseProbe(fromDeps, log) {
  const { default: pg } = await fromDeps('pg/esm/index.mjs');
  if (!process.env.PGHOST) return async () => 'PGHOST is not set';
  const pool = new pg.Pool({
    max: 1,
    idleTimeoutMillis: 15_000,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
    application_name: 'adorable-probe',
    allowExitOnIdle: true,
  });
  // A restarted compute cuts the connection: the next probe opens another.
  pool.on('error', (error) => log('warn', 'database connection lost', { error: error.message }));
  pool.on('connect', (client) => client.on('error', () => undefined));
  return async () => {
    try {
      await pool.query('SELECT 1');
      return undefined;
    } catch (error) {
      return `database: ${error.code ?? error.message}`;
    }
  };
}
