/**
 * The worker's settings, read once: from an embedded platform's description, or, where Temporal,
 * PostgreSQL, the timeline server and a cluster are run by others (docker-compose.yml), from the
 * environment. A variable that is missing is named; none has a default that could reach elsewhere.
 */
import { existsSync } from 'node:fs';
import { obtained } from '../local/engines/obtain.ts';
import { platformSqlUrl } from '../local/postgres/cluster.ts';
import { layout } from '../local/paths.ts';
import { kubeconfigPath, readPlatform, readSecret } from '../local/platform.ts';
import { readModelSettings } from '../activities/model/settings.ts';
import type { ModelSettings } from '../activities/model/settings.ts';
import { AdorableError } from '../shared/errors.ts';

export interface WorkerConfig {
  readonly dataDir: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly databaseUrl: string;
  readonly kubeconfig: string;
  readonly timelines: { readonly url: string; readonly token: string };
  /** 32 bytes in hex: seals the project secrets. */
  readonly masterKey: string;
  readonly preview: { readonly domain: string; readonly port: number };
  /** The Node that checks run under. */
  readonly node: string;
  /** What checks run behind; undefined where it was not built. */
  readonly contain: string | undefined;
  /** How often one app may be produced and checked before its bucket fails. */
  readonly produceAttempts: number;
  /** What writes features that no blueprint has; undefined where none is configured. */
  readonly model?: ModelSettings | undefined;
}

const DEFAULT_ATTEMPTS = 3;
const MAX_ATTEMPTS = 10;

export function readWorkerConfig(dataDir: string, env: NodeJS.ProcessEnv): WorkerConfig {
  return existsSync(layout(dataDir).platform) ? fromPlatform(dataDir, env) : fromEnvironment(dataDir, env);
}

function fromPlatform(dataDir: string, env: NodeJS.ProcessEnv): WorkerConfig {
  const platform = readPlatform(dataDir);
  return {
    dataDir,
    temporal: { address: `127.0.0.1:${String(platform.ports.temporal)}`, namespace: 'default' },
    databaseUrl: platformSqlUrl(platform),
    kubeconfig: kubeconfigPath(dataDir, 'worker'),
    timelines: { url: `http://127.0.0.1:${String(platform.ports.timeline)}`, token: readSecret(dataDir, 'timeline.token') },
    masterKey: readSecret(dataDir, 'master.key'),
    preview: { domain: platform.previewDomain, port: platform.ports.gateway },
    node: platform.engines.node,
    contain: platform.engines.contain,
    produceAttempts: attemptsOf(env),
    model: readModelSettings(env),
  };
}

function fromEnvironment(dataDir: string, env: NodeJS.ProcessEnv): WorkerConfig {
  const need = (name: string): string => {
    const value = env[name];
    if (value === undefined || value === '') throw new AdorableError('InvalidInput', `No platform in ${dataDir}, and ${name} is not set: start one with \`adorable up\`, or set it.`);
    return value;
  };
  const user = `${encodeURIComponent(need('PGUSER'))}:${encodeURIComponent(need('PGPASSWORD'))}`;
  const port = Number(need('ADORABLE_PREVIEW_PORT'));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new AdorableError('InvalidInput', 'ADORABLE_PREVIEW_PORT is not a port.');
  return {
    dataDir,
    temporal: { address: need('TEMPORAL_ADDRESS'), namespace: need('TEMPORAL_NAMESPACE') },
    databaseUrl: `postgresql://${user}@${need('PGHOST')}:${need('PGPORT')}/${encodeURIComponent(need('PGDATABASE'))}`,
    kubeconfig: need('KUBECONFIG'),
    timelines: { url: need('NEON_PAGESERVER_URL'), token: need('NEON_TOKEN') },
    masterKey: need('ADORABLE_MASTER_KEY'),
    preview: { domain: need('ADORABLE_PREVIEW_DOMAIN'), port },
    node: process.execPath,
    contain: obtained('contain'),
    produceAttempts: attemptsOf(env),
    model: readModelSettings(env),
  };
}

function attemptsOf(env: NodeJS.ProcessEnv): number {
  const text = env['ADORABLE_PRODUCE_ATTEMPTS'] ?? String(DEFAULT_ATTEMPTS);
  const attempts = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (attempts >= 1 && attempts <= MAX_ATTEMPTS) return attempts;
  throw new AdorableError('InvalidInput', `ADORABLE_PRODUCE_ATTEMPTS is a whole number from 1 to ${String(MAX_ATTEMPTS)}.`);
}
