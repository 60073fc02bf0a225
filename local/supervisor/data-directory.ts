/**
 * The data directory as a whole: its version is checked before anything in it is touched, and its
 * description is written before any part reads it.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { AdorableError } from '../../shared/errors.ts';
import { layout } from '../paths.ts';
import { DATA_VERSION } from '../platform.ts';
import type { Platform } from '../platform.ts';
import { ownIdentity } from '../process-identity.ts';
import { isRoot } from '../uids.ts';
import { claim } from './claims.ts';
import { ownByPlatform } from './part-specs.ts';
import { ensureSecrets, writeAtomically } from './secrets.ts';

/** A unix socket's path may have 107 bytes, and `/supervisor.sock` follows. */
const LONGEST_DATA_PATH = 90;

/** Refuses a directory that this version must not touch. Reads only. */
export function checkDataDirectory(data: string): void {
  if (Buffer.byteLength(data) > LONGEST_DATA_PATH) {
    throw new AdorableError('InvalidInput', `The data directory's path is longer than ${LONGEST_DATA_PATH} bytes, too long for the sockets in it: choose a shorter one with --data.`);
  }
  const paths = layout(data);
  if (existsSync(paths.version)) {
    const found = readFileSync(paths.version, 'utf8').trim();
    if (found !== String(DATA_VERSION)) {
      throw new AdorableError(
        'DataDirectoryVersion',
        `${data} was made by a version with data format ${found}, this one has ${DATA_VERSION}: use that version, or another directory with --data.`,
        { details: { found, expected: DATA_VERSION } },
      );
    }
  } else if (existsSync(data) && readdirSync(data).some((name) => name !== 'logs')) {
    throw new AdorableError('DataDirectoryVersion', `${data} is not empty and is no data directory of this project: choose an empty or a new one with --data.`);
  }
  if (isRoot) checkTraversable(data);
}

/** Pods and PostgreSQL run under uids of their own, which must be able to get there. */
function checkTraversable(data: string): void {
  for (let dir = dirname(data); ; dir = dirname(dir)) {
    if (existsSync(dir) && (statSync(dir).mode & 0o001) === 0) {
      throw new AdorableError('InvalidInput', `${dir} can be entered by its owner only, but the platform's parts run under other users: choose another directory with --data.`);
    }
    if (dir === dirname(dir)) return;
  }
}

export interface PrepareOptions {
  readonly data: string;
  readonly engines: Platform['engines'];
  readonly ports: Partial<Platform['ports']>;
}

export async function prepareDataDirectory(options: PrepareOptions): Promise<Platform> {
  const paths = layout(options.data);
  mkdirSync(options.data, { recursive: true });
  chmodSync(options.data, isRoot ? 0o711 : 0o700);
  if (!existsSync(paths.version)) writeAtomically(paths.version, `${DATA_VERSION}\n`, 0o644);
  for (const dir of [paths.logs, paths.run, paths.postgres, paths.timelines, paths.node, paths.projects]) mkdirSync(dir, { recursive: true, mode: 0o711 });
  ownByPlatform(paths.postgres);
  ensureSecrets(paths);
  const before = existsSync(paths.platform) ? (JSON.parse(readFileSync(paths.platform, 'utf8')) as Platform) : undefined;
  const instance = before?.instance ?? randomBytes(8).toString('hex');
  const claimed = await claim({ dataDir: options.data, instance, supervisor: ownIdentity(), remembered: before, asked: options.ports });
  const platform: Platform = {
    version: DATA_VERSION,
    dataDir: options.data,
    instance,
    ...claimed,
    previewDomain: before?.previewDomain ?? 'preview.localhost',
    engines: options.engines,
  };
  writeAtomically(paths.platform, `${JSON.stringify(platform, null, 2)}\n`);
  return platform;
}

/** The instance id of a data directory, also when its last start got no further than that. */
export function instanceOf(data: string): string | undefined {
  const file = join(data, 'platform.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Platform).instance : undefined;
}
