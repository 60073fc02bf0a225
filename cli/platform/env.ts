/** What outside tools need to reach a data directory's platform; the password only when asked for (I7). */
import { join } from 'node:path';
import { dataDir, layout } from '../../local/paths.ts';
import { kubeconfigPath, readPlatform } from '../../local/platform.ts';
import type { Platform } from '../../local/platform.ts';
import { platformSqlUrl } from '../../local/postgres/cluster.ts';

export interface PlatformOptions {
  readonly data?: string | undefined;
}

export interface PlatformEnv {
  readonly dataDir: string;
  readonly KUBECONFIG: string;
  readonly TEMPORAL_ADDRESS: string;
  readonly temporalUi: string;
  /** Without the password unless secrets were asked for. */
  readonly DATABASE_URL: string;
  readonly databasePasswordFile: string;
  readonly gateway: string;
  readonly previewDomain: string;
}

export function env(options: PlatformOptions & { readonly secrets?: boolean | undefined } = {}): PlatformEnv {
  return describe(readPlatform(dataDir(options.data)), options.secrets ?? false);
}

function describe(platform: Platform, secrets: boolean): PlatformEnv {
  const { ports } = platform;
  return {
    dataDir: platform.dataDir,
    KUBECONFIG: kubeconfigPath(platform.dataDir, 'admin'),
    TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
    temporalUi: `http://127.0.0.1:${ports.temporalUi}`,
    DATABASE_URL: secrets ? platformSqlUrl(platform) : `postgresql://adorable@127.0.0.1:${ports.postgres}/adorable`,
    databasePasswordFile: join(layout(platform.dataDir).secrets, 'postgres.password'),
    gateway: `http://127.0.0.1:${ports.gateway}`,
    previewDomain: `${platform.previewDomain}:${ports.gateway}`,
  };
}
