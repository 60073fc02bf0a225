/**
 * Secrets of projects as encrypted, versioned rows. Made once and kept: a repeat finds what the
 * first run wrote (I9). They do not rewind with a restore. No value enters an error or a log (I7).
 */
import type { ProjectId } from '../../shared/ids.ts';
import type { PlatformDatabase } from '../records/platform-database.ts';
import type { Seal } from './seal.ts';

interface SecretRow {
  readonly name: string;
  readonly version: number;
  readonly ciphertext: Buffer;
}

export type SecretValues = Readonly<Record<string, string>>;

export interface SecretStore {
  /** Makes those that are not there yet; answers all wanted ones. */
  ensureSecrets(projectId: ProjectId, wanted: Readonly<Record<string, () => string>>): Promise<SecretValues>;
  ensureSecret(projectId: ProjectId, name: string, make: () => string): Promise<string>;
  /** The newest version of each. */
  readSecrets(projectId: ProjectId): Promise<SecretValues>;
  readVersions(projectId: ProjectId): Promise<Readonly<Record<string, number>>>;
  rotateSecret(projectId: ProjectId, name: string, value: string): Promise<{ version: number }>;
  deleteSecrets(projectId: ProjectId): Promise<void>;
  checksum(text: string): string;
}

const NEWEST = 'SELECT DISTINCT ON (name) name, version, ciphertext FROM project_secrets WHERE project_id = $1 ORDER BY name, version DESC';

export function createSecretStore({ database, seal }: { database: Pick<PlatformDatabase, 'query' | 'transaction'>; seal: Seal }): SecretStore {
  const placeOf = (projectId: ProjectId, name: string, version: number) => `${projectId}/${name}/${String(version)}`;

  async function readSecrets(projectId: ProjectId): Promise<SecretValues> {
    const rows = await database.query<SecretRow>(NEWEST, [projectId]);
    return Object.fromEntries(rows.map((row) => [row.name, seal.open(row.ciphertext, placeOf(projectId, row.name, row.version))]));
  }

  async function ensureSecrets(projectId: ProjectId, wanted: Readonly<Record<string, () => string>>): Promise<SecretValues> {
    const known = await readSecrets(projectId);
    const missing = Object.entries(wanted).filter(([name]) => !Object.hasOwn(known, name));
    if (missing.length === 0) return known;
    for (const [name, make] of missing) {
      await database.query(
        'INSERT INTO project_secrets (project_id, name, version, ciphertext) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING',
        [projectId, name, seal.seal(make(), placeOf(projectId, name, 1))],
      );
    }
    // Read back: another worker may have been first.
    return await readSecrets(projectId);
  }

  return {
    ensureSecrets,
    readSecrets,
    ensureSecret: async (projectId, name, make) => (await ensureSecrets(projectId, { [name]: make }))[name] as string,
    readVersions: async (projectId) => Object.fromEntries((await database.query<SecretRow>(NEWEST, [projectId])).map((row) => [row.name, row.version])),
    rotateSecret: async (projectId, name, value) => await database.transaction(async (session) => {
      await session.query('SELECT pg_advisory_xact_lock(hashtext($1))', [`${projectId}/${name}`]);
      const [row] = await session.query<{ version: number }>('SELECT coalesce(max(version), 0)::int + 1 AS version FROM project_secrets WHERE project_id = $1 AND name = $2', [projectId, name]);
      const version = row?.version ?? 1;
      await session.query('INSERT INTO project_secrets (project_id, name, version, ciphertext) VALUES ($1, $2, $3, $4)', [projectId, name, version, seal.seal(value, placeOf(projectId, name, version))]);
      return { version };
    }),
    deleteSecrets: async (projectId) => { await database.query('DELETE FROM project_secrets WHERE project_id = $1', [projectId]); },
    checksum: (text) => seal.checksum(text),
  };
}
