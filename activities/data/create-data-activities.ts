/**
 * The data store's activities: timelines through the timeline API, and the compute's SQL. Every
 * method may run twice, or run and lose its reply, with the same result (I9); what is served is
 * proven by the database itself (I1).
 */
import { AdorableError } from '../../shared/errors.ts';
import { parseAppId, type ProjectId, type TimelineId } from '../../shared/ids.ts';
import { parseLsn } from '../../shared/lsn.ts';
import type { OpenTransactions } from '../../shared/restore/open-transactions.ts';
import type { SchemaMark } from '../../shared/restore/schema-changes.ts';
import type { DataActivities } from '../../shared/ports.ts';
import { ADMIN_USER, withCompute, type Sql } from './adapters/postgres.ts';
import type { DataDeps } from './data-deps.ts';
import { countRowsByTable, dataDigest, schemaFingerprint, type TableRows } from './digests.ts';
import { ensureMeta, takeFence } from './meta-schema.ts';
import { readMigrationLedger, runMigrations, type AppliedMigration } from './migrations.ts';
import { readOpenTransactions } from './open-transactions.ts';
import type { AsLogin } from './owner-login.ts';
import { createRehearsal } from './rehearse-migrations.ts';
import { readServing, type Serving } from './read-serving.ts';
import { readSchemaMarks } from './schema-marks.ts';
import { runSeeds } from './seed-content.ts';
import { assertRoles, dropSchema, ensureAppSchema, ensureServiceSchema, isServiceSchemaMadeBy, ownerOf, serviceSchema } from './schemas.ts';

/** Reads for receipts, plans and freezes, beyond what workflows call themselves. */
export interface DataReads {
  /** Waits until the running compute has put these logins into effect. */
  awaitLogins(input: { projectId: ProjectId; timelineId: TimelineId; logins: 'all' | 'admin'; timeoutMs: number }): Promise<void>;
  readServing(input: { projectId: ProjectId }): Promise<Serving>;
  dataDigest(input: { projectId: ProjectId }): Promise<{ digest: string }>;
  schemaFingerprint(input: { projectId: ProjectId }): Promise<{ fingerprint: string }>;
  countRowsByTable(input: { projectId: ProjectId }): Promise<readonly TableRows[]>;
  /** Prepared transactions, and sessions that are in a transaction for long. */
  readOpenTransactions(input: { projectId: ProjectId }): Promise<OpenTransactions>;
  readMigrationLedger(input: { projectId: ProjectId }): Promise<readonly AppliedMigration[]>;
  /** What the running branch says of its own schema, to be compared with what a checkpoint recorded. */
  readSchemaMarks(input: { projectId: ProjectId }): Promise<readonly SchemaMark[]>;
}

/** Asked of a file that the timeline server keeps; a client waits meanwhile. */
const LOGINS_POLL_MS = 20;

export function createDataActivities(deps: DataDeps): DataActivities & DataReads {
  const { timelines } = deps;

  async function asAdmin<T>(projectId: ProjectId, work: (sql: Sql) => Promise<T>): Promise<T> {
    const [address, password] = await Promise.all([deps.computeAddress(projectId), deps.adminPassword(projectId)]);
    return await withCompute(address, { user: ADMIN_USER, password }, work);
  }

  async function prove(sql: Sql, projectId: ProjectId, timelineId: TimelineId): Promise<Serving> {
    const { tenant_id } = await timelines.readEndpoint(projectId);
    const expected = await timelines.readTimeline(tenant_id, timelineId);
    const serving = await readServing(sql);
    if (serving.pgTimelineId !== expected.pg_timeline_id || serving.systemId !== expected.system_identifier) {
      throw new AdorableError('VerifyFailed', `The compute of ${projectId} serves PostgreSQL timeline ${String(serving.pgTimelineId)}, not ${String(expected.pg_timeline_id)} of timeline ${timelineId}.`, {
        details: { serving, expected: { pgTimelineId: expected.pg_timeline_id, systemId: expected.system_identifier } },
      });
    }
    return serving;
  }

  return {
    async ensureTenant({ projectId, tenantId, timelineId }) {
      await timelines.ensureTenant(tenantId, projectId);
      await timelines.bootstrapTimeline(tenantId, timelineId);
    },

    deleteTenant: async ({ tenantId }) => { await timelines.deleteTenant(tenantId); },

    forkBranch: async ({ source, newTimelineId }) => {
      await timelines.branchTimeline(source.tenantId, newTimelineId, { ancestor: source.timelineId, lsn: source.lsn });
    },

    deleteFork: async ({ tenantId, timelineId }) => { await timelines.deleteTimeline(tenantId, timelineId); },

    repointCompute: async ({ projectId, fence, tenantId, timelineId, logins }) => {
      await timelines.configureEndpoint(projectId, { tenant_id: tenantId, timeline_id: timelineId, fence, logins });
    },

    sealTimeline: async ({ tenantId, timelineId, fence }) => {
      const { lsn } = await timelines.seal(tenantId, timelineId, fence);
      return { lsn };
    },

    unsealTimeline: async ({ tenantId, timelineId, fence }) => { await timelines.unseal(tenantId, timelineId, fence); },

    emitCheckpointLsn: async ({ projectId, checkpointId, timelineId }) =>
      await asAdmin(projectId, async (sql) => {
        await prove(sql, projectId, timelineId);
        // Autocommitted and flushed: clients with asynchronous commit are covered by it as well.
        await sql.query('SET synchronous_commit = on');
        const [row] = await sql.query<{ lsn: string }>(`SELECT pg_logical_emit_message(true, 'adorable.checkpoint', $1)::text AS lsn`, [checkpointId]);
        return { lsn: parseLsn(row?.lsn) };
      }),

    pinMoment: async ({ tenantId, timelineId, checkpointId, lsn }) => { await timelines.pin(tenantId, timelineId, { pin: checkpointId, lsn }); },
    unpinMoment: async ({ tenantId, timelineId, checkpointId }) => { await timelines.unpin(tenantId, timelineId, checkpointId); },

    ensureAppSchema: async ({ appId, ...fenced }) => { await asAdmin(fenced.projectId, (sql) => ensureAppSchema(sql, fenced, parseAppId(appId))); },

    dropAppSchema: async ({ appId, ...fenced }) => {
      await asAdmin(fenced.projectId, (sql) => dropSchema(sql, fenced, { schema: parseAppId(appId), roles: [appId, ownerOf(appId)] }));
    },

    ensureServiceSchema: async ({ serviceId, ...fenced }) => { await asAdmin(fenced.projectId, (sql) => ensureServiceSchema(sql, fenced, serviceId)); },

    dropServiceSchema: async ({ serviceId, ...fenced }) => {
      const name = serviceSchema(serviceId);
      await asAdmin(fenced.projectId, async (sql) => {
        // Also when there is nothing to drop: whoever is about to make it must find the newer fence.
        await ensureMeta(sql);
        await takeFence(sql, fenced);
        if (await isServiceSchemaMadeBy(sql, serviceId, fenced.operationId)) await dropSchema(sql, fenced, { schema: name, roles: [name] });
      });
    },

    convergeSchema: async ({ moment, ...fenced }) => {
      const { projectId } = fenced;
      const [roles, apps, address] = await Promise.all([deps.computeRoles(projectId), deps.readMigrations(projectId, moment), deps.computeAddress(projectId)]);
      return await asAdmin(projectId, async (sql) => {
        await prove(sql, projectId, moment.timelineId);
        await ensureMeta(sql);
        await takeFence(sql, fenced);
        const applied: string[] = [];
        for (const app of apps) {
          await ensureAppSchema(sql, fenced, parseAppId(app.appId));
          const asLogin: AsLogin = (login, work) => withCompute(address, login, work);
          const names = [...(await runMigrations(sql, asLogin, app)), ...(await runSeeds({ admin: sql, asLogin }, { seeds: [], ...app }))];
          applied.push(...names.map((name) => `${app.appId}/${name}`));
        }
        // After the migrations, so that grants reach the tables that they made.
        await assertRoles(sql, roles);
        return { applied };
      });
    },

    ...createRehearsal(deps, asAdmin),

    proveServing: async ({ projectId, timelineId }) =>
      await asAdmin(projectId, async (sql) => {
        const { pgTimelineId, systemId, history } = await prove(sql, projectId, timelineId);
        return { pgTimelineId, proof: `${systemId}/${String(pgTimelineId)} ${history}`.trim() };
      }),

    async awaitLogins({ projectId, timelineId, logins, timeoutMs }) {
      for (const deadline = Date.now() + timeoutMs; ; ) {
        const { observed } = await timelines.readEndpoint(projectId);
        if (observed?.timeline_id === timelineId && observed.logins === logins) return;
        if (Date.now() > deadline) throw new AdorableError('Unavailable', `The compute of ${projectId} has not put logins=${logins} into effect yet.`);
        await new Promise((resolve) => setTimeout(resolve, LOGINS_POLL_MS));
      }
    },

    readServing: ({ projectId }) => asAdmin(projectId, readServing),
    dataDigest: async ({ projectId }) => ({ digest: await asAdmin(projectId, dataDigest) }),
    schemaFingerprint: async ({ projectId }) => ({ fingerprint: await asAdmin(projectId, schemaFingerprint) }),
    countRowsByTable: ({ projectId }) => asAdmin(projectId, countRowsByTable),
    readMigrationLedger: ({ projectId }) => asAdmin(projectId, readMigrationLedger),
    readOpenTransactions: ({ projectId }) => asAdmin(projectId, readOpenTransactions),
    readSchemaMarks: ({ projectId }) => asAdmin(projectId, readSchemaMarks),
  };
}
