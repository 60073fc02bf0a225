/** A project on real git in a temporary directory, with producers of two lines and a clock per operation. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CodeDeps, CodeStore, ProduceRequest } from '../../../activities/code/code-deps.ts';
import { createCodeActivities } from '../../../activities/code/create-code-activities.ts';
import { removeTree } from '../../../activities/code/remove-tree.ts';
import type { AppId, CheckpointId, OperationId, ProjectId, RevisionId, TenantId, TimelineId } from '../../../shared/ids.ts';
import type { Fenced, FencedMoment } from '../../../shared/moment.ts';
import type { Bucket, CommitPoint } from '../../../shared/ports.ts';
import type { Declared, DeclaredApp } from '../../../shared/spec/declared.ts';
import type { Slug } from '../../../shared/slug.ts';

export const PROJECT = 'qiwykfu39n' as ProjectId;
export const REVISION = 'rev_000000000001' as RevisionId;

export function operation(number: number): Fenced {
  return { projectId: PROJECT, operationId: `op_${String(number).padStart(12, '0')}` as OperationId, fence: number };
}

export function moment(fenced: Fenced, point: CommitPoint): FencedMoment {
  const id = '0'.repeat(32);
  return { ...fenced, moment: { ...point, checkpointId: 'cp_000000000001' as CheckpointId, tenantId: id as TenantId, timelineId: id as TimelineId } };
}

export function app(number: number, slug: string): DeclaredApp {
  return { id: `a_${String(number).padStart(12, '0')}` as AppId, slug: slug as Slug, name: slug, kind: 'react', isPrimary: number === 1, fsDirName: slug };
}

export function bucket({ id, slug }: DeclaredApp): Bucket {
  return { appId: id, slug, featureIds: [`f_${slug}`] };
}

export interface World {
  readonly projectsDir: string;
  readonly work: string;
  readonly deps: CodeDeps;
  readonly code: CodeStore;
  /** What the next producer call writes; replaceable by a test. */
  produce: (request: ProduceRequest) => void;
  canMend: boolean;
  declared: Declared;
  git(...args: string[]): string;
  write(path: string, text: string): void;
  read(path: string): string;
  has(path: string): boolean;
  remove(): Promise<void>;
}

export function createWorld(): World {
  const root = mkdtempSync(join(tmpdir(), 'adorable-code-'));
  const projectsDir = join(root, 'projects');
  const installed = join(root, 'deps', 'node_modules');
  mkdirSync(installed, { recursive: true });
  const work = join(projectsDir, PROJECT, 'repo');
  const deps: CodeDeps = {
    projectsDir,
    produceAttempts: 3,
    producer: {
      canMend: () => world.canMend,
      produce: async (request) => { await Promise.resolve(); world.produce(request); },
      check: async ({ scratchDir, slug }) => { await Promise.resolve(); lstatSync(join(scratchDir, 'apps', slug, 'node_modules')); },
    },
    records: {
      featuresOf: async (_revision, ids) => await Promise.resolve(ids.map((id) => ({ id, title: id, blueprint: 'blog' }))),
      declaredAfter: async () => await Promise.resolve(world.declared),
    },
    ensureDeps: async () => await Promise.resolve(installed),
    operationTime: async (id) => await Promise.resolve(new Date(1_700_000_000_000 + Number(id.slice(3)) * 1000)),
  };
  const world: World = {
    projectsDir,
    work,
    deps,
    code: createCodeActivities(deps),
    produce: ({ intoDir, appSlug }) => {
      writeFileSync(join(intoDir, 'index.html'), `<h1>${appSlug}</h1>\n`);
      writeFileSync(join(intoDir, 'package-lock.json'), '{}\n');
      mkdirSync(join(intoDir, 'src'), { recursive: true });
      writeFileSync(join(intoDir, 'src', 'main.ts'), 'export {};\n');
    },
    canMend: false,
    declared: { apps: [], services: [], serviceVersions: {}, revisionId: REVISION },
    git: (...args) => execFileSync('git', ['-c', 'user.name=Person', '-c', 'user.email=p@example.com', ...args], { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim(),
    write: (path, text) => { mkdirSync(dirname(join(work, path)), { recursive: true }); writeFileSync(join(work, path), text); },
    read: (path) => readFileSync(join(work, path), 'utf8'),
    has: (path) => existsSync(join(work, path)),
    remove: async () => { await removeTree(root); },
  };
  return world;
}

/** Everything that the worktree holds, without `.git`, as sorted paths. */
export function worktreeFiles(world: World): readonly string[] {
  return readdirSync(world.work, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory() && !join(entry.parentPath, entry.name).includes('/.git/'))
    .map((entry) => join(entry.parentPath, entry.name).slice(world.work.length + 1))
    .sort();
}

/** Runs one app through the whole forward path and moves HEAD to the result. */
export async function generate(world: World, fenced: Fenced, apps: readonly DeclaredApp[]): Promise<CommitPoint> {
  const known = world.declared.apps.filter(({ id }) => !apps.some((other) => other.id === id));
  world.declared = { ...world.declared, apps: [...known, ...apps] };
  for (const one of apps) {
    await world.code.scaffoldApp({ ...fenced, app: { appId: one.id, slug: one.slug, kind: one.kind, name: one.name, featureId: `f_${one.slug}` } });
    await world.code.produceApp({ ...fenced, bucket: bucket(one), revisionId: REVISION });
    await world.code.checkApp({ ...fenced, bucket: bucket(one) });
  }
  const point = await world.code.composeCommit({ ...fenced, buckets: apps.map(bucket), revisionId: REVISION });
  return await world.code.restoreVersion(moment(fenced, point));
}

export function copyOf(dir: string, target: string): void {
  rmSync(target, { recursive: true, force: true });
  cpSync(dir, target, { recursive: true, verbatimSymlinks: true });
}
