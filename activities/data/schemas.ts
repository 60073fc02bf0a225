/**
 * Schemas and roles inside a branch. Per app: a schema named by its id, an owner without login,
 * and a login role that can touch rows only; it cannot log in before the app's secrets say so
 * (I8, I10). A service owns its schema itself.
 */
import { AdorableError } from '../../shared/errors.ts';
import { parseOperationId } from '../../shared/ids.ts';
import type { AppId, OperationId } from '../../shared/ids.ts';
import type { Fenced } from '../../shared/moment.ts';
import { assertRolesSql, type ComputeRole } from '../../local/node/runners/compute/assert-roles.ts';
import { ident, type Sql } from './adapters/postgres.ts';
import { ensureMeta, takeFence } from './meta-schema.ts';

export const ownerOf = (appId: AppId) => `${appId}_owner`;

/** The role under which an app's pods log in, as the compute and `convergeSchema` are given it. */
export function appRole(appId: AppId, password: string, login: boolean): ComputeRole {
  return { name: appId, login, password, schema: appId, settings: { search_path: appId } };
}

export function serviceRole(serviceId: string, password: string): ComputeRole {
  const name = serviceSchema(serviceId);
  return { name, login: true, password, schema: name, settings: { search_path: name } };
}

/** `my-cms` lives in schema `my_cms`, owned by a role of that name. */
export function serviceSchema(serviceId: string): string {
  if (!/^[a-z][a-z0-9-]{1,39}$/.test(serviceId)) throw new AdorableError('InvalidInput', `${JSON.stringify(serviceId)} is not a service id.`);
  const name = serviceId.replaceAll('-', '_');
  if (name.startsWith('adorable_') || name.startsWith('pg_') || ['public', 'information_schema', 'cloud_admin', 'app'].includes(name)) {
    throw new AdorableError('InvalidInput', `The service id ${serviceId} is reserved: choose another.`);
  }
  return name;
}

export async function ensureAppSchema(sql: Sql, fenced: Fenced, appId: AppId): Promise<void> {
  await ensureMeta(sql);
  await sql.transaction(async () => {
    await takeFence(sql, fenced);
    await ensureRole(sql, ownerOf(appId));
    await ensureRole(sql, appId);
    await ensureOwnedSchema(sql, appId, ownerOf(appId));
  });
}

/** The schema remembers which operation made it: an unwinding drops what it made, never what it found. */
export async function ensureServiceSchema(sql: Sql, fenced: Fenced, serviceId: string): Promise<void> {
  const name = serviceSchema(serviceId);
  await ensureMeta(sql);
  await sql.transaction(async () => {
    await takeFence(sql, fenced);
    await ensureRole(sql, name);
    if (await ensureOwnedSchema(sql, name, name)) await sql.query(`COMMENT ON SCHEMA ${ident(name)} IS '${madeBy(parseOperationId(fenced.operationId))}'`);
  });
}

export async function isServiceSchemaMadeBy(sql: Sql, serviceId: string, operationId: OperationId): Promise<boolean> {
  const [row] = await sql.query<{ comment: string | null }>(`SELECT obj_description(oid, 'pg_namespace') AS comment FROM pg_namespace WHERE nspname = $1`, [serviceSchema(serviceId)]);
  return row?.comment === madeBy(operationId);
}

const madeBy = (operationId: OperationId) => `adorable ${operationId}`;

export async function dropSchema(sql: Sql, fenced: Fenced, { schema, roles }: { schema: string; roles: readonly string[] }): Promise<void> {
  await ensureMeta(sql);
  await sql.transaction(async () => {
    await takeFence(sql, fenced);
    await sql.query(`DROP SCHEMA IF EXISTS ${ident(schema)} CASCADE`);
    for (const role of roles) {
      if (!(await hasRole(sql, role))) continue;
      await sql.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [role]);
      await sql.query(`DROP OWNED BY ${ident(role)} CASCADE`);
      await sql.query(`DROP ROLE ${ident(role)}`);
    }
    await sql.query(`DELETE FROM adorable_meta.migrations WHERE app = $1`, [schema]);
    await sql.query(`DELETE FROM adorable_meta.content_ledger WHERE starts_with(table_name, $1 || '.')`, [schema]);
  });
}

/** The same assertion that a compute makes at its start, for secrets that changed while it runs. */
export async function assertRoles(sql: Sql, roles: readonly ComputeRole[]): Promise<void> {
  await sql.query(assertRolesSql(roles));
}

async function ensureRole(sql: Sql, name: string): Promise<void> {
  if (!(await hasRole(sql, name))) await sql.query(`CREATE ROLE ${ident(name)} NOLOGIN`);
}

async function hasRole(sql: Sql, name: string): Promise<boolean> {
  return (await sql.query('SELECT FROM pg_roles WHERE rolname = $1', [name])).length > 0;
}

async function ensureOwnedSchema(sql: Sql, schema: string, owner: string): Promise<boolean> {
  const [found] = await sql.query<{ owner: string }>('SELECT pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname = $1', [schema]);
  if (found && found.owner !== owner) throw new AdorableError('OwnershipConflict', `Schema ${schema} belongs to role ${found.owner}: it was not made for this app or service.`);
  if (found) return false;
  await sql.query(`CREATE SCHEMA ${ident(schema)} AUTHORIZATION ${ident(owner)}`);
  return true;
}
