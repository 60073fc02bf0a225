/** How each part is started: its command, its user, what must be made before and arranged after. */
import { chownSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkout } from '../engines/recipe.ts';
import { bootstrapCluster } from '../kube/bootstrap.ts';
import { apiserverFlags, controllerManagerFlags, etcdFlags, schedulerFlags } from '../kube/flags.ts';
import { writeIdentities } from '../kube/identities.ts';
import { layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import { ensureCluster, ensureDatabase, platformSqlUrl, platformUser, postgresFlags } from '../postgres/cluster.ts';
import { temporalFlags } from '../temporal/flags.ts';
import { ensureSearchAttributes } from '../temporal/search-attributes.ts';
import { ensureServiceAccountKeys } from './secrets.ts';
import type { PartName } from './part-names.ts';

export interface PartSpec {
  readonly name: PartName;
  readonly command: string;
  readonly args: readonly string[];
  readonly user?: { readonly uid?: number; readonly gid?: number };
  /** PostgreSQL's SIGTERM waits for clients to leave; SIGINT does not. */
  readonly stopSignal: NodeJS.Signals;
  readonly stopGraceMs: number;
  /** Before each start. */
  readonly prepare?: () => Promise<void>;
  /** After each time it became ready, before what needs it is started. Idempotent. */
  readonly arrange?: () => Promise<void>;
}

/** Parts whose source is not in this checkout are left out. */
export function partSpecs(platform: Platform): PartSpec[] {
  const paths = layout(platform.dataDir);
  const keys = ensureServiceAccountKeys(ensureKubeDir(platform));
  const engine = { stopSignal: 'SIGTERM', stopGraceMs: 10_000 } as const;
  const kube = { ...engine, command: platform.engines.kube };
  const ours = (name: PartName, file: string): PartSpec[] =>
    existsSync(join(checkout, file))
      ? [{ ...engine, name, command: platform.engines.node, args: ['--disable-warning=ExperimentalWarning', join(checkout, file), '--data', paths.data] }]
      : [];
  return [
    {
      ...engine,
      name: 'postgres',
      command: join(platform.engines.postgres, 'bin', 'postgres'),
      args: postgresFlags(paths, platform),
      user: platformUser,
      stopSignal: 'SIGINT',
      prepare: async () => await ensureCluster(paths, platform),
      arrange: async () => await migratePlatform(platform),
    },
    {
      ...engine,
      name: 'temporal',
      command: platform.engines.temporal,
      args: temporalFlags(paths, platform),
      prepare: async () => await Promise.resolve(void mkdirSync(paths.temporal, { recursive: true, mode: 0o700 })),
      arrange: async () => await ensureSearchAttributes(platform),
    },
    { ...kube, name: 'etcd', args: etcdFlags(paths), prepare: async () => await removeSockets(paths.kube) },
    { ...kube, name: 'kube-apiserver', args: apiserverFlags(paths, platform, keys), arrange: async () => await bootstrapCluster(platform) },
    { ...kube, name: 'kube-controller-manager', args: controllerManagerFlags(paths, platform, keys) },
    { ...kube, name: 'kube-scheduler', args: schedulerFlags(paths, platform) },
    ...ours('timeline', 'local/timeline/main.ts'),
    ...ours('node', 'local/node/main.ts'),
    ...ours('gateway', 'local/gateway/main.ts'),
    ...ours('worker', 'workers/main.ts'),
  ];
}

function ensureKubeDir(platform: Platform): string {
  const paths = layout(platform.dataDir);
  mkdirSync(paths.kube, { recursive: true, mode: 0o700 });
  writeIdentities(paths, platform);
  return join(paths.kube, 'pki');
}

/** etcd refuses to start on a socket file that a killed one left. */
async function removeSockets(dir: string): Promise<void> {
  for (const name of ['etcd.sock', 'peer.sock']) rmSync(join(dir, name), { force: true });
  await Promise.resolve();
}

async function migratePlatform(platform: Platform): Promise<void> {
  await ensureDatabase(platform);
  const file = join(checkout, 'activities', 'records', 'migrate.ts');
  if (!existsSync(file)) return;
  const { migrate } = (await import(pathToFileURL(file).href)) as { migrate(connectionString: string): Promise<void> };
  await migrate(platformSqlUrl(platform));
}

/** Pod uids cannot read the checkout, so runners are served from a copy in the data directory. */
export function copyRunners(platform: Platform): void {
  const source = join(checkout, 'local', 'node', 'runners');
  if (!existsSync(source)) return;
  const { runners } = layout(platform.dataDir);
  const draft = `${runners}.new`;
  rmSync(draft, { recursive: true, force: true });
  cpSync(source, draft, { recursive: true, dereference: true });
  rmSync(runners, { recursive: true, force: true });
  renameSync(draft, runners);
}

export function ownByPlatform(path: string): void {
  if (platformUser.uid !== undefined) chownSync(path, platformUser.uid, platformUser.gid);
}
