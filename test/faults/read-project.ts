/**
 * One project as its four stores hold it, read by the harness itself: git, the platform's rows, the
 * compute's SQL, the timeline server, the Kubernetes API and the gateway. Ids that differ from run to
 * run are written as what they stand for, so that equal moments read alike; no workflow is asked.
 */
import { existsSync, readdirSync } from 'node:fs';
import pg from 'pg';
import type { TimelineInfo } from '../../activities/data/timeline-client.ts';
import type { World } from '../../cli/story/world.ts';
import { tenantIdOf } from '../../shared/derive.ts';
import type { ProjectId } from '../../shared/ids.ts';
import type { Engines } from './engines.ts';
import { readNamespaceObjects } from './read-objects.ts';
import type { NamespaceObjects } from './read-objects.ts';

export interface ProjectReading {
  /** What a person can reach, with every id that a run makes anew written alike. */
  readonly visible: Readonly<Record<string, unknown>>;
  /** Descriptions of the transactions, in the order of their ids. */
  readonly rows: readonly string[];
  readonly facts: Facts;
}

export interface Facts {
  readonly head: string;
  readonly tree: string;
  readonly refs: readonly string[];
  readonly scratch: readonly string[];
  readonly project: ProjectRow;
  readonly pendingApps: readonly string[];
  readonly checkpoints: readonly CheckpointRow[];
  readonly openOperations: readonly string[];
  readonly inventory: readonly { readonly ref: string; readonly uid: string | null; readonly state: string }[];
  readonly timelines: readonly TimelineInfo[];
  readonly endpoint: { readonly timeline_id: string; readonly logins: string };
  /** As the database itself says. */
  readonly served: { readonly pgTimelineId: number; readonly systemId: string };
  readonly objects: NamespaceObjects;
}

interface ProjectRow {
  readonly status: string;
  readonly fence: string;
  readonly timeline_id: string | null;
  readonly current_checkpoint: string | null;
  readonly revision_id: string | null;
  readonly services: readonly string[];
  readonly redo_stack: readonly string[];
}

interface CheckpointRow {
  readonly id: string;
  readonly status: 'intent' | 'complete' | 'void';
  readonly alias_of: string | null;
  readonly timeline_id: string;
  readonly lsn: string | null;
  readonly commit_sha: string;
}

interface AppRow { readonly id: string; readonly slug: string; readonly kind: string; readonly is_primary: boolean; readonly fs_dir_name: string; readonly state: string; readonly archived: boolean }

export async function readProject(engines: Engines, world: World, projectId: ProjectId): Promise<ProjectReading> {
  const { database, timelines } = engines.platform.open;
  const one = async <T>(sql: string): Promise<T[]> => await database.query<T & object>(sql, [projectId]) as T[];
  const [project] = await one<ProjectRow>('SELECT * FROM projects WHERE id = $1');
  if (project === undefined) throw new Error(`project ${projectId} has no row`);
  const [apps, checkpoints, open, inventory, revisions] = await Promise.all([
    one<AppRow>('SELECT *, archived_at IS NOT NULL AS archived FROM project_apps WHERE project_id = $1 ORDER BY slug, created_at'),
    one<CheckpointRow>('SELECT * FROM checkpoints WHERE project_id = $1 ORDER BY ordinal'),
    one<{ id: string }>('SELECT id FROM operations WHERE project_id = $1 AND outcome IS NULL'),
    one<{ kind: string; name: string; uid: string | null; state: string }>('SELECT * FROM inventory WHERE project_id = $1 ORDER BY kind, name'),
    one<{ id: string; number: number; status: string }>(`SELECT id, number, status FROM plan_revisions WHERE project_id = $1 AND status IN ('active', 'done') ORDER BY number`),
  ]);
  const [git, data, infos, endpoint, objects] = await Promise.all([
    readGit(engines, projectId), readData(world), timelines.listTimelines(tenantIdOf(projectId)), timelines.readEndpoint(projectId), readNamespaceObjects(engines.kube, projectId),
  ]);
  const live = apps.filter((app) => !app.archived && app.state === 'live');
  const names: [string, string][] = [
    ...apps.map((app): [string, string] => [app.id, `<app ${app.slug}>`]),
    ...revisions.map((row, index): [string, string] => [row.id, `<revision ${String(index + 1)}>`]),
    [git.tree, '<tree>'], [project.timeline_id ?? '?', '<timeline>'], [tenantIdOf(projectId), '<tenant>'], [projectId, '<project>'],
  ];
  const visible = {
    files: git.files,
    apps: live.map(({ id, slug, kind, is_primary, fs_dir_name }) => ({ id, slug, kind, is_primary, fs_dir_name })),
    services: project.services, revision: project.revision_id, revisions: revisions.map((row) => row.status), status: project.status,
    data: data.tables, schemas: data.schemas, migrations: data.migrations, roles: data.roles,
    objects: objects.rendered,
  };
  return {
    visible: JSON.parse(names.reduce((text, [id, name]) => text.replaceAll(id, name), JSON.stringify(visible))) as Record<string, unknown>,
    rows: data.rows,
    facts: {
      head: git.head, tree: git.tree, refs: git.refs,
      scratch: directory(engines.projectPath(projectId, 'scratch')),
      project, checkpoints, endpoint, objects, timelines: infos, served: data.served,
      pendingApps: apps.filter((app) => app.state === 'pending').map((app) => app.slug),
      openOperations: open.map((row) => row.id),
      inventory: inventory.map((row) => ({ ref: `${row.kind}/${row.name}`, uid: row.uid, state: row.state })),
    },
  };
}

function directory(path: string): string[] {
  return existsSync(path) ? readdirSync(path) : [];
}

/** Every file of HEAD by its content; what names ids by its text, so that these can be written alike. */
async function readGit({ git }: Engines, projectId: ProjectId) {
  const [head, tree, listing, spec, refs] = [
    await git(projectId, 'rev-parse', 'refs/heads/main'), await git(projectId, 'rev-parse', 'refs/heads/main^{tree}'),
    await git(projectId, 'ls-tree', '-r', '--format=%(objectname) %(path)', 'refs/heads/main'), await git(projectId, 'show', 'refs/heads/main:.adorable/spec.json'),
    await git(projectId, 'for-each-ref', '--format=%(refname)', 'refs/adorable/'),
  ];
  const files = listing.split('\n').map((line) => (line.endsWith(' .adorable/spec.json') ? `.adorable/spec.json ${spec}` : line));
  return { head, tree, files, refs: refs.split('\n').filter((ref) => ref !== '') };
}

/** One connection as the compute's owner; the transactions apart, since a case knows which ones must be there. */
async function readData(world: World) {
  const client = new pg.Client({ ...(await world.computeAddress()), user: 'cloud_admin', password: await world.secret('neon-compute-env', 'ADMIN_PASSWORD'), connectionTimeoutMillis: 5000, query_timeout: 20_000 });
  client.on('error', () => undefined); // The pending query says so.
  await client.connect();
  const rows = async <T extends object>(sql: string): Promise<T[]> => (await client.query<T>(sql)).rows;
  try {
    const tables = await rows<{ schema: string; name: string }>(
      `SELECT schemaname AS schema, tablename AS name FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema|adorable_)' ORDER BY 1, 2`,
    );
    const digests: string[] = [];
    const transactions: string[] = [];
    for (const { schema, name } of tables) {
      const table = `${client.escapeIdentifier(schema)}.${client.escapeIdentifier(name)}`;
      if (name === 'transactions') transactions.push(...(await rows<{ description: string }>(`SELECT description FROM ${table} ORDER BY id`)).map((row) => row.description));
      else {
        // Without when it was written: the same migration at another time makes the same moment.
        const [digest] = await rows<{ count: string; md5: string }>(`SELECT count(*), md5(string_agg((to_jsonb(t) - 'created_at' - 'updated_at')::text, ' ' ORDER BY (to_jsonb(t) - 'created_at' - 'updated_at')::text)) FROM ${table} t`);
        digests.push(`${schema}.${name} ${digest?.count ?? ''} ${digest?.md5 ?? ''}`);
      }
    }
    const schemas = await rows<{ name: string; owner: string }>(`SELECT nspname AS name, pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1`);
    const ledger = schemas.some((schema) => schema.name === 'adorable_meta')
      ? await rows<{ app: string; name: string }>('SELECT app, name FROM adorable_meta.migrations ORDER BY 1, 2') : [];
    const roles = await rows<{ name: string; login: boolean }>(`SELECT rolname AS name, rolcanlogin AS login FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1`);
    const [served] = await rows<{ timeline: number; system: string }>(`SELECT timeline_id AS timeline, (SELECT system_identifier::text FROM pg_control_system()) AS system FROM pg_control_checkpoint()`);
    return {
      tables: digests, rows: transactions, schemas: schemas.map(({ name, owner }) => `${name} of ${owner}`), migrations: ledger.map((row) => `${row.app} ${row.name}`), roles: roles.map(({ name, login }) => `${name}${login ? ' may log in' : ''}`),
      served: { pgTimelineId: served?.timeline ?? 0, systemId: served?.system ?? '' },
    };
  } finally {
    await client.end();
  }
}
