/**
 * Numbered SQL migrations of the platform database, each applied once in its own transaction.
 * An advisory lock makes two starters take turns; a file that changed after it was applied is refused.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AdorableError } from '../../shared/errors.ts';
import { connectPlatform } from './platform-database.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));
const LOCK = 7_201_986;

export async function migrate(connectionString: string, folder = FOLDER): Promise<void> {
  const database = connectPlatform(connectionString);
  try {
    await database.session(async (session) => {
      await session.query('SELECT pg_advisory_lock($1)', [LOCK]);
      await session.query('CREATE TABLE IF NOT EXISTS platform_migrations (name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())');
      const applied = new Map((await session.query<{ name: string; checksum: string }>('SELECT name, checksum FROM platform_migrations')).map((row) => [row.name, row.checksum]));
      for (const name of readdirSync(folder).filter((file) => /^\d{4}_.*\.sql$/.test(file)).sort()) {
        const sql = readFileSync(join(folder, name), 'utf8');
        const checksum = createHash('sha256').update(sql).digest('hex');
        const before = applied.get(name);
        if (before === checksum) continue;
        if (before !== undefined) throw new AdorableError('DataDirectoryVersion', `Migration ${name} differs from the one that was applied: use the version of Adorable that made this data directory.`);
        await session.query('BEGIN');
        try {
          await session.query(sql);
          await session.query('INSERT INTO platform_migrations (name, checksum) VALUES ($1, $2)', [name, checksum]);
          await session.query('COMMIT');
        } catch (error) {
          await session.query('ROLLBACK');
          throw error;
        }
      }
    });
  } finally {
    await database.end();
  }
}
