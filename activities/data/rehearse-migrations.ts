/**
 * The dress rehearsal of a generation: migrations and seeds that would change an existing schema or its
 * rows run first on a throw-away fork, so that one which fails refuses the run before anybody is
 * frozen out (I2).
 */
import { AdorableError } from '../../shared/errors.ts';
import { parseAppId, type ProjectId } from '../../shared/ids.ts';
import type { DataActivities } from '../../shared/ports.ts';
import { ADMIN_USER, withCompute } from './adapters/postgres.ts';
import type { Sql } from './adapters/postgres.ts';
import type { AppMigrations, DataDeps } from './data-deps.ts';
import { pendingMigrations, readMigrationLedger, runMigrations } from './migrations.ts';
import type { AsLogin } from './owner-login.ts';
import { ensureAppSchema } from './schemas.ts';
import { pendingSeeds, runSeeds } from './seed-content.ts';

type AsAdmin = <T>(projectId: ProjectId, work: (sql: Sql) => Promise<T>) => Promise<T>;

export function createRehearsal({ timelines, readMigrations }: DataDeps, asAdmin: AsAdmin): Pick<DataActivities, 'rehearseMigrations'> {
  return {
    async rehearseMigrations({ moment, at, created, ...fenced }) {
      const { projectId } = fenced;
      const apps = await readMigrations(projectId, moment);
      const changing = await asAdmin(projectId, async (sql) => {
        const ledger = await readMigrationLedger(sql);
        const found: { app: AppMigrations; names: string[] }[] = [];
        for (const app of apps) {
          const names = [...pendingMigrations(app, ledger).map(({ name }) => name), ...(await pendingSeeds(sql, { seeds: [], ...app }))];
          if (names.length > 0 && !created.includes(app.appId)) found.push({ app, names: names.map((name) => `${app.appId}/${name}`) });
        }
        return found;
      });
      if (changing.length === 0) return { changes: [] };
      const { lease, host } = await timelines.openLease(at.tenantId, at.timelineId, at.lsn);
      try {
        const address = { host, port: 5432 };
        // The socket is only ours, so no password is asked for.
        await withCompute(address, { user: ADMIN_USER, password: '' }, async (sql) => {
          for (const { app } of changing) {
            await ensureAppSchema(sql, fenced, parseAppId(app.appId));
            const asLogin: AsLogin = (login, work) => withCompute(address, login, work);
            await runMigrations(sql, asLogin, app);
            await runSeeds({ admin: sql, asLogin }, { seeds: [], ...app });
          }
        });
      } catch (error) {
        throw refused(error);
      } finally {
        await timelines.closeLease(lease);
      }
      return { changes: changing.flatMap(({ names }) => names) };
    },
  };
}

/** An outage is an outage; whatever SQL itself answers is what this migration would do to people's data. */
function refused(error: unknown): unknown {
  if (!(error instanceof AdorableError) || !('migration' in error.details || 'seeds' in error.details)) return error;
  if (error.type === 'Unavailable' || error.type === 'Contended') return error;
  return new AdorableError('BuildFailed', `Rehearsed on a throw-away fork: ${error.message}`, { cause: error, details: error.details });
}
