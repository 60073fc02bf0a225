/**
 * Directus runner: the real Directus from its engine directory, in a scratch directory of its own
 * with writable uploads and extensions. `bootstrap` is repeatable: it installs or migrates the
 * schema that DB_SEARCH_PATH names and does nothing when that is done.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

const log = (level, message, fields = {}) =>
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`The Directus runner needs ${name} in its environment.`);
  return value;
}

const scratch = required('SCRATCH');
const cli = join(required('ENGINE_DIRECTUS'), 'node_modules', 'directus', 'cli.js');
const directories = { uploads: join(scratch, 'uploads'), extensions: join(scratch, 'extensions'), temporary: join(scratch, 'tmp') };
for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true });

const env = {
  TELEMETRY: 'false',
  LOG_STYLE: 'raw',
  CACHE_ENABLED: 'false',
  STORAGE_LOCATIONS: 'local',
  STORAGE_LOCAL_ROOT: directories.uploads,
  EXTENSIONS_PATH: directories.extensions,
  TEMP_PATH: directories.temporary,
  PORT: '8055',
  ...process.env,
  HOST: required('POD_IP'),
};

let child;
let stopping = false;

/** Runs one Directus command and answers its exit code. */
function run(command) {
  return new Promise((resolve, reject) => {
    child = spawn(process.execPath, [cli, command], { cwd: scratch, env, stdio: ['ignore', 'inherit', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal ? 1 : (code ?? 1)));
  });
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    stopping = true;
    child?.kill('SIGTERM');
  });
}

for (const command of ['bootstrap', 'start']) {
  const began = performance.now();
  const code = await run(command);
  if (stopping) process.exit(0);
  if (code !== 0 || command === 'start') {
    log('error', `directus ${command} ended`, { code });
    process.exit(code || 1);
  }
  log('info', `directus ${command} done`, { ms: Math.round(performance.now() - began) });
}
