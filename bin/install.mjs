/**
 * Installs what the lockfile pins, once, and finds the pinned Node in it. Plain JavaScript without
 * dependencies: it runs before anything is installed, on any Node from 20 on.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, linkSync, unlinkSync, writeFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const hiddenLockfile = join(modules, '.package-lock.json');
const stamp = join(modules, '.adorable-lockfile');
const pinnedNode = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');

/** Installs when needed; answers the path of the pinned Node 24. Speaks on stderr only. */
export async function ensureInstalled() {
  const [major] = process.versions.node.split('.').map(Number);
  if (major < 20) fail(`Node ${process.versions.node} is too old: install Node 20 or later (https://nodejs.org).`, 1);
  if (!isInstalled()) {
    const problem = await installLocked();
    if (problem) fail(problem, 1);
  }
  if (!existsSync(pinnedNode)) fail(`There is no pinned Node for ${process.platform}-${process.arch} in the lockfile: this platform is not supported yet.`, 1);
  return pinnedNode;
}

/** Passes on signals and the exit code, so that the child might as well have been started directly. */
export function runChild(command, args, env = process.env) {
  const child = spawn(command, args, { stdio: 'inherit', env });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends Ctrl-C to the whole group, so the child has it already.
    process.on(name, () => name === 'SIGINT' && process.stdin.isTTY || child.kill(name));
  }
  child.once('error', (error) => fail(`Cannot start ${command}: ${error.message}`, 1));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function isInstalled() {
  if (!existsSync(hiddenLockfile) || !existsSync(pinnedNode)) return false;
  const lockfile = readFileSync(join(root, 'package-lock.json'));
  const digest = createHash('sha256').update(lockfile).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return true;
  // npm writes its own record last: equal to the lockfile, whoever ran npm, means installed.
  const wanted = JSON.parse(lockfile).packages;
  const present = JSON.parse(readFileSync(hiddenLockfile, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path !== '' && !entry.optional && present[path]?.version !== entry.version) return false;
  }
  writeStamp(digest);
  return true;
}

/** Answers what went wrong, if anything: exiting here would leave the lock behind. */
async function installLocked() {
  const lock = join(cacheDir(), `install-${createHash('sha256').update(root).digest('hex').slice(0, 16)}.lock`);
  await takeLock(lock);
  try {
    return isInstalled() ? undefined : await npmCi(lock);
  } finally {
    rmSync(lock, { force: true });
  }
}

async function npmCi(lock) {
  const started = Date.now();
  say('Installing dependencies from package-lock.json (npm ci; usually 10 to 60 s) …');
  // Removed first: a kill in the middle must not leave a record of an installation that is gone.
  rmSync(hiddenLockfile, { force: true });
  rmSync(stamp, { force: true });
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const child = spawn(npm, ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  // Whoever overrules this process after a kill must end its npm too: two in one directory spoil it.
  writeFileSync(`${lock}.new`, JSON.stringify({ ...identity(process.pid), npm: identity(child.pid) }));
  renameSync(`${lock}.new`, lock);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(0, 4000)));
  // An interrupted bootstrap must not leave an npm that goes on writing.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = (name) => process.exit(name === 'SIGINT' ? 130 : 143);
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, stop);
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const ticker = process.stderr.isTTY
    ? setInterval(() => process.stderr.write(`\r  ${seconds()} s, ${countPackages()} packages unpacked `), 500)
    : undefined;
  const code = await new Promise((done) => {
    child.once('error', (error) => { errors += error.message; done(1); });
    child.once('exit', (exit) => done(exit ?? 1));
  });
  clearInterval(ticker);
  process.off('exit', kill);
  for (const name of ['SIGINT', 'SIGTERM']) process.off(name, stop);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  if (code !== 0) {
    const reasons = errors.split('\n').filter((line) => line.trim() && !/^npm (warn|error)\s*$/.test(line)).slice(0, 8).join('\n');
    return `npm ci failed, so nothing was started. Check the network or the registry in your npm configuration, then run this again.\n${reasons}`;
  }
  writeStamp(createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex'));
  say(`Dependencies installed in ${seconds()} s.`);
  return undefined;
}

function countPackages() {
  try {
    return readdirSync(modules).length;
  } catch {
    return 0; // Not made yet.
  }
}

function writeStamp(digest) {
  writeFileSync(`${stamp}.${process.pid}`, digest);
  renameSync(`${stamp}.${process.pid}`, stamp);
}

/** A link appears with its content in one step; a holder that is dead is overruled. */
async function takeLock(file) {
  mkdirSync(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(identity(process.pid)));
  try {
    for (let told = false; ; ) {
      try {
        linkSync(draft, file);
        return;
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = readHolder(file);
      if (holder && startTimeOf(holder.pid) !== holder.startTime) {
        await endNpm(holder.npm);
        takeAway(file, `${draft}.dead`, holder);
        continue;
      }
      if (holder && !told) say(`Waiting for process ${holder.pid}, which is installing the dependencies …`);
      told = true;
      await sleep(200);
    }
  } finally {
    unlinkSync(draft);
  }
}

async function endNpm(npm) {
  if (!npm || startTimeOf(npm.pid) !== npm.startTime) return;
  process.kill(npm.pid, 'SIGKILL');
  while (startTimeOf(npm.pid) === npm.startTime) await sleep(20);
}

/** Moves a dead holder's file aside; had another process replaced it meanwhile, it is put back. */
function takeAway(file, aside, dead) {
  try {
    renameSync(file, aside);
    const { pid, startTime } = readHolder(aside);
    if (pid !== dead.pid || startTime !== dead.startTime) linkSync(aside, file);
    unlinkSync(aside);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  }
}

function readHolder(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function identity(pid) {
  return { pid, startTime: startTimeOf(pid) };
}

function startTimeOf(pid) {
  try {
    if (process.platform !== 'linux') return process.kill(pid, 0) ? 'alive' : undefined;
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined; // No such process.
  }
}

/** The same rule as local/paths.ts, which cannot be loaded yet. */
function cacheDir() {
  if (process.env.ADORABLE_CACHE) return resolve(process.env.ADORABLE_CACHE);
  if (process.getuid?.() === 0) return '/var/cache/adorable';
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'adorable');
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(message, code) {
  say(message);
  process.exit(code);
}
