/**
 * Evidence beside a checkpoint: the schema at its LSN and the versions of the secrets in use.
 * Written while the database still answers, so that a plan can compare moments without opening one.
 */
import type { CheckpointId, ProjectId } from '../../shared/ids.ts';
import type { RecordsActivities } from '../../shared/ports.ts';
import type { SecretVersions } from '../../shared/restore/revived-credentials.ts';
import type { SchemaMark } from '../../shared/restore/schema-changes.ts';
import type { PlatformDatabase, Session } from './platform-database.ts';

export interface Evidence {
  readonly schemaMarks: readonly SchemaMark[] | null;
  readonly secretVersions: SecretVersions | null;
}

export interface EvidenceDeps {
  readonly database: PlatformDatabase;
  readonly readSchemaMarks: (projectId: ProjectId) => Promise<readonly SchemaMark[]>;
  readonly readSecretVersions: (projectId: ProjectId) => Promise<SecretVersions>;
}

export async function readEvidence(session: Session, id: CheckpointId): Promise<Evidence> {
  const [row] = await session.query<{ schema_marks: SchemaMark[] | null; secret_versions: SecretVersions | null }>('SELECT schema_marks, secret_versions FROM checkpoints WHERE id = $1', [id]);
  return { schemaMarks: row?.schema_marks ?? null, secretVersions: row?.secret_versions ?? null };
}

/** Once: what a repeat would read belongs to a later moment (I9). */
export async function recordEvidence(session: Session, id: CheckpointId, { schemaMarks, secretVersions }: Evidence): Promise<void> {
  await session.query('UPDATE checkpoints SET schema_marks = coalesce(schema_marks, $2), secret_versions = coalesce(secret_versions, $3) WHERE id = $1', [
    id, schemaMarks === null ? null : JSON.stringify(schemaMarks), secretVersions === null ? null : JSON.stringify(secretVersions),
  ]);
}

/** A running timeline's checkpoint is completed together with its evidence; a sealed one's was taken with its intent. */
export function withEvidence(deps: EvidenceDeps, complete: RecordsActivities['completeCheckpoint']): Pick<RecordsActivities, 'completeCheckpoint'> {
  return {
    async completeCheckpoint(input) {
      const { projectId, checkpointId, sealed } = input;
      const evidence = sealed ? undefined : await currentEvidence(deps, projectId);
      await complete(input);
      if (evidence !== undefined) await recordEvidence(deps.database, checkpointId, evidence);
    },
  };
}

export async function currentEvidence(deps: EvidenceDeps, projectId: ProjectId): Promise<{ schemaMarks: readonly SchemaMark[]; secretVersions: SecretVersions }> {
  const [schemaMarks, secretVersions] = await Promise.all([deps.readSchemaMarks(projectId), deps.readSecretVersions(projectId)]);
  return { schemaMarks, secretVersions };
}
