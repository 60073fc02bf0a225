/**
 * Proves that a past moment is still restorable, without restoring it: git holds it whole, its
 * data answers on a throw-away fork that only the timeline server can reach, and everything that
 * it declares is still known. Nothing of the project is touched.
 */
import { AdorableError } from '../../shared/errors.ts';
import type { CommitSha, ProjectId, TreeHash } from '../../shared/ids.ts';
import type { RecordedMoment } from '../../shared/moment.ts';
import type { VerifyActivities } from '../../shared/ports.ts';
import type { Difference } from '../../shared/restore/plan.ts';
import type { Counted } from '../../shared/restore/row-changes.ts';
import type { SchemaMark } from '../../shared/restore/schema-changes.ts';
import type { Declared } from '../../shared/spec/declared.ts';

export interface RecordedState {
  readonly moment: RecordedMoment;
  readonly declared: Declared;
  /** Null where the checkpoint did not record them. */
  readonly schemaMarks: readonly SchemaMark[] | null;
}

export interface VerifyCheckpointDeps {
  readonly readRecorded: (projectId: ProjectId, checkpointId: string) => Promise<RecordedState>;
  readonly readHeldMoment: (input: { projectId: ProjectId; commit: CommitSha }) => Promise<{ tree: TreeHash | undefined; objects: number; missing: string | undefined }>;
  /** Rows per table at the moment's LSN, on a throw-away fork. */
  readonly inspect: (moment: RecordedMoment) => Promise<readonly Counted[]>;
  /** Throws when a declared service is defined nowhere. */
  readonly requireServices: (ids: readonly string[]) => void;
}

export function createVerifyCheckpoint(deps: VerifyCheckpointDeps): Pick<VerifyActivities, 'verifyCheckpoint'> {
  return {
    async verifyCheckpoint({ projectId, checkpointId }) {
      const { moment, declared, schemaMarks } = await deps.readRecorded(projectId, checkpointId);
      const [held, data] = await Promise.all([deps.readHeldMoment({ projectId, commit: moment.commit }), inspected(deps, moment)]);
      const differences: Difference[] = [
        ...(held.missing === undefined ? [] : [{ store: 'git' as const, what: 'the tree', expected: 'complete', found: held.missing }]),
        ...(held.tree === moment.tree ? [] : [{ store: 'git' as const, what: "the commit's tree", expected: moment.tree, found: held.tree ?? 'absent' }]),
        ...data.differences,
        ...(data.differences.length > 0 ? [] : missingSchemas(schemaMarks ?? [], data.tables)),
        ...undefinedServices(deps, declared),
      ];
      return {
        checkpointId: moment.checkpointId, ok: differences.length === 0, commit: moment.commit, tree: moment.tree, timelineId: moment.timelineId, lsn: moment.lsn,
        objects: held.objects, tables: data.tables.length, rows: data.tables.reduce((sum, { rows }) => sum + rows, 0),
        apps: declared.apps.map((app) => app.slug), services: declared.services, differences,
      };
    },
  };
}

async function inspected(deps: VerifyCheckpointDeps, moment: RecordedMoment): Promise<{ tables: readonly Counted[]; differences: Difference[] }> {
  try {
    return { tables: await deps.inspect(moment), differences: [] };
  } catch (error) {
    // What is gone for good is the answer; what is away is asked again.
    if (!(error instanceof AdorableError) || (error.type !== 'Unreachable' && error.type !== 'NotFound')) throw error;
    return { tables: [], differences: [{ store: 'timeline', what: `the data at ${moment.lsn}`, expected: 'readable', found: error.message }] };
  }
}

function missingSchemas(marks: readonly SchemaMark[], tables: readonly Counted[]): Difference[] {
  const found = new Set(tables.map(({ table }) => table.split('.')[0]));
  return [...new Set(marks.map((mark) => mark.owner))].filter((owner) => !found.has(owner))
    .map((owner) => ({ store: 'timeline', what: `schema ${owner}`, expected: 'tables', found: 'none' }));
}

function undefinedServices(deps: VerifyCheckpointDeps, { services }: Declared): Difference[] {
  try {
    deps.requireServices(services);
    return [];
  } catch (error) {
    if (!(error instanceof AdorableError)) throw error;
    return [{ store: 'rows', what: 'declared services', expected: 'in the catalog', found: error.message }];
  }
}
