/** The platform database: a pool behind three verbs, and driver codes turned into our failure types. */
import pg from 'pg';
import { AdorableError } from '../../shared/errors.ts';
import type { FailureType } from '../../shared/errors.ts';

export interface Session {
  query<Row = Record<string, unknown>>(sql: string, values?: readonly unknown[]): Promise<Row[]>;
}

export interface PlatformDatabase extends Session {
  /** One connection for the whole of `work`. */
  session<T>(work: (session: Session) => Promise<T>): Promise<T>;
  /** One READ COMMITTED transaction; row locks are taken explicitly where order matters. */
  transaction<T>(work: (session: Session) => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

/** A worker that was stopped between two statements keeps its locks no longer than this: its transaction is ended by the server. */
const IDLE_IN_TRANSACTION_MS = 10_000;

export function connectPlatform(connectionString: string): PlatformDatabase {
  const pool = new pg.Pool({ connectionString, max: 10, connectionTimeoutMillis: 5000, idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS });
  // A connection that dies (the server was killed) is replaced by the pool when it is idle, and fails its next statement
  // when it is not: between two statements of a transaction nobody else listens, and unheard it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => { client.on('error', () => undefined); });

  const on = (client: pg.Pool | pg.PoolClient): Session => ({
    async query<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]> {
      try {
        return (await client.query(sql, values === undefined ? undefined : [...values])).rows as Row[];
      } catch (error) {
        throw toFailure(error);
      }
    },
  });

  const session = async <T>(work: (session: Session) => Promise<T>): Promise<T> => {
    const client = await pool.connect().catch((error: unknown) => { throw toFailure(error); });
    // Lost between two statements: the next one says so. The pool listens only while a client is idle.
    const lost = (): void => undefined;
    client.on('error', lost);
    let broken: Error | undefined;
    try {
      return await work(on(client));
    } catch (error) {
      if (error instanceof AdorableError && error.type === 'Unavailable') broken = error;
      throw error;
    } finally {
      client.off('error', lost);
      client.release(broken);
    }
  };

  return {
    ...on(pool),
    session,
    transaction: (work) => session(async (inside) => {
      await inside.query('BEGIN');
      try {
        const result = await work(inside);
        await inside.query('COMMIT');
        return result;
      } catch (error) {
        await inside.query('ROLLBACK');
        throw error;
      }
    }),
    end: () => pool.end(),
  };
}

const BY_CODE: Readonly<Record<string, FailureType>> = {
  '40001': 'Contended',
  '40P01': 'Contended',
  '55P03': 'Contended',
  '25P03': 'Unavailable',
  '23503': 'UnresolvedTarget',
  '23505': 'OwnershipConflict',
  '28P01': 'Denied',
  '42501': 'Denied',
  '53300': 'Unavailable',
  '57P01': 'Unavailable',
  '57P03': 'Unavailable',
  ECONNREFUSED: 'Unavailable',
  ECONNRESET: 'Unavailable',
  EPIPE: 'Unavailable',
  ETIMEDOUT: 'Unavailable',
};

function toFailure(error: unknown): AdorableError {
  if (error instanceof AdorableError) return error;
  const { code, message } = error as Error & { code?: string };
  // A statement that cannot be right is a bug of ours: no retry mends it.
  const isOurs = code !== undefined && /^(22|23|42)/.test(code);
  const type = (code === undefined ? undefined : BY_CODE[code]) ?? (isOurs ? 'InvariantViolated' : /terminated|timeout|Connection/i.test(message) ? 'Unavailable' : 'Unclassified');
  return new AdorableError(type, `The platform database answered: ${message}.`, { cause: error });
}
