/**
 * The one place that knows `pg` on the data side: short sessions on a project's compute, values as
 * parameters, identifiers through one quoting function, driver codes as our failure types. No
 * error text carries a connection string (I7).
 */
import pg from 'pg';
import { AdorableError, type FailureType } from '../../../shared/errors.ts';

export interface ComputeAddress {
  readonly host: string;
  readonly port: number;
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

export interface Sql {
  query<Row = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
}

export const ADMIN_USER = 'cloud_admin';
const DATABASE = 'app';
/** A lock that is held for longer belongs to a forgotten session or a prepared transaction: said as a failure, not waited for in silence. */
const LOCK_MS = 20_000;

export async function withCompute<T>(address: ComputeAddress, login: Login, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = new pg.Client({
    ...address, ...login, database: DATABASE, application_name: 'adorable', connectionTimeoutMillis: 10_000, keepAlive: true, lock_timeout: LOCK_MS,
  });
  // A compute that is stopped meanwhile fails the query; the connection's own event has no other listener.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw toFailure(error, `connect to the compute as ${login.user}`);
  }
  try {
    return await work(toSql(client));
  } finally {
    await client.end().catch(() => undefined); // Closing a connection that is already lost changes nothing.
  }
}

function toSql(client: pg.Client): Sql {
  const sql: Sql = {
    async query<Row>(text: string, values?: readonly unknown[]) {
      try {
        const result = await client.query(text, values === undefined ? undefined : [...values]);
        return (Array.isArray(result) ? [] : result.rows) as Row[];
      } catch (error) {
        throw toFailure(error, 'run SQL on the compute');
      }
    },
    async transaction(work) {
      await sql.query('BEGIN');
      try {
        const result = await work();
        await sql.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined); // A lost connection has rolled back by itself.
        throw error;
      }
    },
  };
  return sql;
}

export function ident(name: string): string {
  if (name.includes('\0')) throw new AdorableError('InvalidInput', 'A database name cannot contain NUL.');
  return `"${name.replaceAll('"', '""')}"`;
}

const BY_CODE: Readonly<Record<string, FailureType>> = {
  '40001': 'Contended', '40P01': 'Contended', '55P03': 'Contended', '53300': 'Unavailable', '57P01': 'Unavailable', '57P02': 'Unavailable',
  '57P03': 'Unavailable', '57014': 'Unavailable', '53100': 'QuotaExceeded', '53200': 'QuotaExceeded', '28P01': 'Denied', '28000': 'Denied', '42501': 'Denied',
};
const BY_CLASS: Readonly<Record<string, FailureType>> = { '08': 'Unavailable', '22': 'InvalidInput', '23': 'InvalidInput', '42': 'InvalidInput', '0A': 'InvalidInput', '2B': 'PreconditionFailed' };

export function toFailure(error: unknown, subject: string): AdorableError {
  if (error instanceof AdorableError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const text = error instanceof Error ? error.message : String(error);
  // Everything without an SQLSTATE is the network or the driver: the compute is away.
  const type = !/^[0-9A-Z]{5}$/.test(code) ? 'Unavailable' : (BY_CODE[code] ?? BY_CLASS[code.slice(0, 2)] ?? 'Unclassified');
  // The runner's own gate while it starts: nobody is let in yet.
  const isStarting = code === '28000' && /pg_hba\.conf/.test(text);
  const held = code === '55P03' ? ': a session or a prepared transaction holds a lock that it needs, `adorable verify` names those in doubt' : '';
  return new AdorableError(isStarting ? 'Unavailable' : type, `Could not ${subject}: ${text}${held}`, { cause: error, details: { code } });
}
