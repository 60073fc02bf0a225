/**
 * What this machine has and lacks, one finding each, with what to do about it. It changes nothing: what is
 * tried is tried in directories and on ports of its own.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { containment, isContained } from '../../local/containment/containment.ts';
import { probeContainment } from '../../local/containment/probe.ts';
import { goVersion, isNewEnough, obtainedGo } from '../../local/engines/go-toolchain.ts';
import { obtained, present } from '../../local/engines/obtain.ts';
import { GO_RECIPES, VERSIONS } from '../../local/engines/recipe.ts';
import type { EngineName, GoEngineName } from '../../local/engines/recipe.ts';
import { cacheDir, dataDir, layout } from '../../local/paths.ts';
import { readPlatform } from '../../local/platform.ts';
import { isAlive } from '../../local/process-identity.ts';
import { FAMILIAR, isFree } from '../../local/supervisor/claims.ts';
import { checkDataDirectory } from '../../local/supervisor/data-directory.ts';
import { readRunRecord } from '../../local/supervisor/run-records.ts';
import { isRoot } from '../../local/uids.ts';
import type { PlatformOptions } from './env.ts';

const run = promisify(execFile);

export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  /** What mends it. */
  readonly todo?: string;
}

export interface DoctorResult {
  readonly dataDir: string;
  readonly ok: boolean;
  /** Whether code that nobody has read could be run here (I10). */
  readonly contained: boolean;
  readonly findings: readonly Finding[];
}

const LEAST_DISK_GB = 2;
const WANTED_DISK_GB = 10;

export async function doctor(options: PlatformOptions = {}): Promise<DoctorResult> {
  const data = dataDir(options.data);
  const contain = await containmentFindings();
  const findings = [
    node(), await program('git', 'Install git: projects are repositories.'), await program('npm', 'Install npm: the dependencies of apps come by it.'),
    ...(await engines()), await go(), directory(data), ...(await ports(data)), disk('disk of the data directory', data), disk('disk of the cache', cacheDir()),
    await reflink(data), uid(), ...contain.findings,
  ];
  return { dataDir: data, ok: findings.every(({ state }) => state !== 'failed'), contained: contain.contained, findings };
}

function node(): Finding {
  return { check: 'node', state: 'ok', detail: `${process.version}, ${process.platform} ${process.arch}` };
}

async function program(name: string, todo: string): Promise<Finding> {
  try {
    const { stdout } = await run(name, ['--version']);
    return { check: name, state: 'ok', detail: stdout.trim().split('\n')[0] ?? '' };
  } catch {
    return { check: name, state: 'failed', detail: 'not on PATH, or it does not start', todo };
  }
}

async function engines(): Promise<Finding[]> {
  const need = async (engine: EngineName, later: string): Promise<Finding> => {
    const path = await present(engine);
    return path === undefined ? { check: `engine ${engine}`, state: 'warning', detail: 'not in the cache', todo: later } : { check: `engine ${engine}`, state: 'ok', detail: path };
  };
  const build = (engine: GoEngineName) => `\`adorable up\` obtains it: ${engine === 'contain' ? '' : 'downloaded, or '}built from its Go module (${GO_RECIPES[engine].usually}).`;
  return await Promise.all([
    need('node', '`adorable up` copies it out of node_modules.'), need('postgres', '`adorable up` copies it out of node_modules.'),
    need('kube', build('kube')), need('temporal', build('temporal')), need('contain', build('contain')),
    need('directus', 'It is obtained from npm when a project first needs it, or by `adorable up --with directus`.'),
  ]);
}

async function go(): Promise<Finding> {
  const needed: GoEngineName[] = [];
  for (const engine of ['kube', 'temporal', 'contain'] as const) if ((await present(engine)) === undefined) needed.push(engine);
  const found = await goVersion();
  const isUsable = found !== undefined && needed.every((engine) => isNewEnough(found, GO_RECIPES[engine].minimumGo));
  if (isUsable) return { check: 'go', state: 'ok', detail: `${found} on PATH` };
  if (needed.length === 0) return { check: 'go', state: 'ok', detail: 'not needed: everything that it builds is in the cache' };
  const own = obtainedGo();
  if (own !== undefined) return { check: 'go', state: 'ok', detail: own };
  return {
    check: 'go', state: 'warning', detail: found === undefined ? 'not on PATH' : `${found} on PATH is too old for ${needed.join(', ')}`,
    todo: `Go ${VERSIONS.go} is fetched from the Go module proxy when ${needed.join(', ')} is built; without a network, install it.`,
  };
}

function directory(data: string): Finding {
  const check = 'data directory';
  try {
    checkDataDirectory(data);
    accessSync(nearest(data), constants.W_OK | constants.X_OK);
    return { check, state: 'ok', detail: existsSync(data) ? data : `${data}, not made yet` };
  } catch (error) {
    return { check, state: 'failed', detail: error instanceof Error ? error.message : String(error), todo: 'Choose another with --data, or give this user the right to write there.' };
  }
}

/** The closest directory that is there. */
function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path));
}

async function ports(data: string): Promise<Finding[]> {
  const supervisor = readRunRecord(layout(data), 'supervisor');
  if (supervisor !== undefined && isAlive(supervisor)) return [{ check: 'ports', state: 'ok', detail: `held by this platform, gateway at ${String(readPlatform(data).ports.gateway)}` }];
  const wanted = Object.entries(FAMILIAR);
  const taken = (await Promise.all(wanted.map(async ([name, port]) => (await isFree(port)) ? [] : [`${String(port)} (${name})`]))).flat();
  if (taken.length === 0) return [{ check: 'ports', state: 'ok', detail: `${wanted.map(([, port]) => String(port)).join(', ')} are free` }];
  return [{ check: 'ports', state: 'warning', detail: `in use: ${taken.join(', ')}`, todo: '`adorable up` chooses others; `adorable env` prints them.' }];
}

function disk(check: string, path: string): Finding {
  const { bavail, bsize } = statfsSync(nearest(path));
  const free = (bavail * bsize) / 1e9;
  const detail = `${free.toFixed(1)} GB free`;
  if (free < LEAST_DISK_GB) return { check, state: 'failed', detail, todo: `Free at least ${String(LEAST_DISK_GB)} GB in ${nearest(path)}.` };
  if (free < WANTED_DISK_GB) return { check, state: 'warning', detail, todo: `Compiling the engines takes up to ${String(WANTED_DISK_GB)} GB for a while.` };
  return { check, state: 'ok', detail };
}

/** Whether forks of a database share blocks, or copy them. */
async function reflink(data: string): Promise<Finding> {
  const check = 'reflink';
  let dir: string | undefined;
  try {
    dir = mkdtempSync(join(nearest(data), '.adorable-doctor-'));
    writeFileSync(join(dir, 'from'), 'x'.repeat(8_192));
    await run('cp', ['--reflink=always', join(dir, 'from'), join(dir, 'to')]);
    return { check, state: 'ok', detail: 'forks share their blocks' };
  } catch {
    return { check, state: 'warning', detail: 'the file system of the data directory copies whole files', todo: 'Nothing has to be done; on XFS or Btrfs forks of large databases take less time and space.' };
  } finally {
    if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  }
}

function uid(): Finding {
  if (isRoot) return { check: 'user IDs', state: 'ok', detail: 'a block of its own for every project' };
  try {
    userInfo();
  } catch {
    return { check: 'user IDs', state: 'failed', detail: 'this user has no name', todo: 'Add it to /etc/passwd: PostgreSQL makes no database for a user without a name.' };
  }
  return { check: 'user IDs', state: 'warning', detail: 'everything runs as one user', todo: 'As root, each project runs under user IDs of its own.' };
}

async function containmentFindings(): Promise<{ contained: boolean; findings: Finding[] }> {
  const [helper, nodeBinary] = [obtained('contain'), obtained('node')];
  const found = containment(helper);
  if (helper === undefined || found.landlock === undefined) {
    return { contained: false, findings: [{ check: 'containment', state: 'warning', detail: found.reason ?? '', todo: 'Use Linux 6.12 or later with Landlock enabled, and let `adorable up` build the helper. Until then the model backend is refused.' }] };
  }
  const landlock: Finding = isContained(found) ? { check: 'landlock', state: 'ok', detail: `ABI ${String(found.landlock)}` }
    : { check: 'landlock', state: 'warning', detail: found.reason ?? '', todo: 'The model backend is refused.' };
  if (nodeBinary === undefined) return { contained: false, findings: [landlock, { check: 'containment', state: 'warning', detail: 'not tried: the engine Node is not in the cache', todo: 'Run `adorable up` once.' }] };
  const { held, broken } = await probeContainment(helper, nodeBinary);
  const isHeld = broken.length === 0;
  const probe: Finding = isHeld ? { check: 'containment', state: 'ok', detail: `tried: ${held.join('; ')}` }
    : { check: 'containment', state: 'failed', detail: `it does not hold: ${broken.join('; ')}`, todo: 'Do not run code here that you have not read, and report this.' };
  return { contained: isHeld && isContained(found), findings: [landlock, probe] };
}
