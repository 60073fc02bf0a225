/**
 * The description of a running embedded platform, written by the supervisor and read by every
 * part and by the CLI. It holds addresses and paths only: secret values stay in files of mode
 * 0600 under `secrets/` (I7).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AdorableError } from '../shared/errors.ts';
import { layout } from './paths.ts';

export const DATA_VERSION = 1;

export interface Platform {
  readonly version: number;
  readonly dataDir: string;
  /** Random id of this data directory; names what belongs to it in process tables and logs. */
  readonly instance: string;
  readonly ports: {
    readonly postgres: number;
    readonly temporal: number;
    readonly temporalUi: number;
    readonly temporalHttp: number;
    readonly temporalMetrics: number;
    readonly kube: number;
    readonly controllerManager: number;
    readonly scheduler: number;
    readonly timeline: number;
    readonly gateway: number;
  };
  readonly loopback: {
    /** Service ClusterIP range, e.g. `127.96.0.0/16`: claimed by this data directory alone. */
    readonly services: string;
    /** First two octets of pod mirror addresses, e.g. `127.196` for reported `10.244.x.y`. */
    readonly podPrefix: string;
  };
  readonly previewDomain: string;
  readonly engines: {
    readonly node: string;
    readonly temporal: string;
    readonly kube: string;
    /** Directory with bin/{postgres,initdb,pg_ctl}. */
    readonly postgres: string;
    /** What generated code runs behind (I10); absent where it could not be built. */
    readonly contain?: string;
    /** Directory with node_modules/directus; absent until it is installed. */
    readonly directus?: string;
  };
}

export function readPlatform(dataDir: string): Platform {
  try {
    return JSON.parse(readFileSync(layout(dataDir).platform, 'utf8')) as Platform;
  } catch (cause) {
    throw new AdorableError('NotRunning', `No platform in ${dataDir}: start one with \`adorable up\`.`, { cause });
  }
}

export type SecretName =
  | 'admin.token' | 'node.token' | 'worker.token' | 'gateway.token' | 'kcm.token' | 'scheduler.token'
  | 'timeline.token' | 'postgres.password' | 'master.key';

export function readSecret(dataDir: string, name: SecretName): string {
  return readFileSync(join(layout(dataDir).secrets, name), 'utf8').trim();
}

export type KubeIdentity = 'admin' | 'node' | 'worker' | 'gateway' | 'kcm' | 'scheduler';

export function kubeconfigPath(dataDir: string, identity: KubeIdentity): string {
  return join(layout(dataDir).kube, `${identity}.kubeconfig`);
}
