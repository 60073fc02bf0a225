/**
 * Directus runner: the real Directus from its engine directory, in a scratch directory of its own
 * with writable uploads and extensions. `bootstrap` installs or migrates the schema that
 * DB_SEARCH_PATH names; it is left out when every migration is there, which saves 3 s of downtime
 * in each undo and redo.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const log = (level, message, fields = {}) =>
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), level, message, ...fields })}\n`);

function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`The Directus runner needs ${name} in its environment.`);
  return value;
}

const scratch = required('SCRATCH');
const api = join(required('ENGINE_DIRECTUS'), 'node_modules', '@directus', 'api', 'dist');
// Not `directus/cli.js`: that asks a registry for updates before each command.
const cli = join(api, 'cli', 'run.js');
const directories = { uploads: join(scratch, 'uploads'), extensions: join(scratch, 'extensions'), temporary: join(scratch, 'tmp') };
for (const directory of Object.values(directories)) mkdirSync(directory, { recursive: true });
// Directus looks for extensions that are packages in the nearest package.json.
writeFileSync(join(scratch, 'package.json'), '{}\n');

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

/** Whether the database has every migration of this version: then bootstrap has nothing to do. */
async function isMigrated() {
  if (env.DB_CLIENT !== 'pg') return false;
  const { Client } = createRequire(join(api, 'index.js'))('pg');
  const schema = (env.DB_SEARCH_PATH ?? 'public').replace(/^(array|string):/, '').split(',')[0];
  const client = new Client(env.DB_CONNECTION_STRING
    ? { connectionString: env.DB_CONNECTION_STRING }
    : { host: env.DB_HOST, port: Number(env.DB_PORT ?? 5432), database: env.DB_DATABASE, user: env.DB_USER, password: env.DB_PASSWORD });
  try {
    await client.connect();
    const { rows } = await client.query(`SELECT version FROM ${client.escapeIdentifier(schema)}.directus_migrations`);
    const done = new Set(rows.map((row) => row.version));
    const wanted = readdirSync(join(api, 'database', 'migrations')).filter((file) => /^[0-9]+[A-Z]-[^.]+\.js$/.test(file));
    const users = await client.query(`SELECT 1 FROM ${client.escapeIdentifier(schema)}.directus_users LIMIT 1`);
    return wanted.every((file) => done.has(file.split('-')[0])) && users.rowCount === 1;
  } catch (error) {
    // No such table is the normal first start; anything else is bootstrap's to report.
    log('info', 'directus bootstrap needed', { because: error.message });
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    stopping = true;
    child?.kill('SIGTERM');
  });
}

for (const command of (await isMigrated()) ? ['start'] : ['bootstrap', 'start']) {
  if (stopping) process.exit(0);
  const began = performance.now();
  const code = await run(command);
  if (stopping) process.exit(0);
  if (code !== 0 || command === 'start') {
    log('error', `directus ${command} ended`, { code });
    process.exit(code || 1);
  }
  log('info', `directus ${command} done`, { ms: Math.round(performance.now() - began) });
}
