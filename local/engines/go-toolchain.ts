/**
 * A Go that can build the engines: the one on PATH when it is new enough, else the pinned toolchain
 * module from the Go module proxy, verified against its pinned module hash.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../paths.ts';
import { downloadFile } from './download.ts';
import { VERSIONS } from './recipe.ts';
import { transfer } from './release.ts';
import type { Report } from './report.ts';
import { fillSlot, isFilled } from './slot.ts';
import { readZip, writeBelow } from './unzip.ts';

const run = promisify(execFile);

/** Module hashes as the Go checksum database publishes them. */
const TOOLCHAIN_SUMS: Readonly<Record<string, string>> = {
  'linux-amd64': 'h1:ZOmGe1OnfREDMIdb1Qi4G9JSuDPBLGExZMQ4nis1RXM=',
  'linux-arm64': 'h1:sYL/O6MqS68ML0kjsQ36WoYIpJqkw60TxizWUYUKQMc=',
  'darwin-amd64': 'h1:7/9KPPN8PckcA9s91hm2jmQMhzW4KyTJXHIs45L0C9M=',
  'darwin-arm64': 'h1:dFjGhY6f8DTsY8/rLchUTDRRfjJP4pCrGCwxvHFT2Fg=',
};
const DEFAULT_PROXY = 'https://proxy.golang.org';

/** The path of a usable `go` command. */
export async function obtainGo(minimum: string, report: Report): Promise<string> {
  const onPath = await goVersion();
  if (onPath !== undefined && isNewEnough(onPath, minimum)) return 'go';
  const target = targetName();
  const slot = toolchainSlot(target);
  if (!isFilled(slot)) {
    report({ state: 'obtaining', detail: `Go ${VERSIONS.go} (not on PATH, or older than ${minimum}) from ${toolchainUrl(target)}` });
    await fillSlot(slot, report, (dir) => fetchToolchain(target, dir, report));
  }
  return join(slot.path, slot.entry);
}

/** The toolchain that was fetched before, if any. */
export function obtainedGo(): string | undefined {
  const slot = toolchainSlot(targetName());
  return isFilled(slot) ? join(slot.path, slot.entry) : undefined;
}

function targetName(): string {
  return `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
}

function toolchainSlot(target: string) {
  return { path: join(cacheDir(), 'engines', `go-${VERSIONS.go}-${target}`), entry: 'bin/go' };
}

/** The version of the Go on PATH, or undefined: not there, or it does not start. */
export async function goVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await run('go', ['env', 'GOVERSION'], { env: { ...process.env, GOTOOLCHAIN: 'local' } });
    return stdout.trim().replace(/^go/, '');
  } catch {
    return undefined;
  }
}

export function isNewEnough(version: string, minimum: string): boolean {
  return compareVersions(version, minimum) >= 0;
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('.').map((part) => Number.parseInt(part, 10)));
  for (let i = 0; i < 3; i++) {
    const difference = (left?.[i] ?? 0) - (right?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function toolchainUrl(target: string): string {
  const proxies = (process.env['GOPROXY'] ?? '').split(/[,|]/).map((entry) => entry.trim());
  const proxy = proxies.find((entry) => /^https?:/.test(entry)) ?? DEFAULT_PROXY;
  return `${proxy.replace(/\/+$/, '')}/golang.org/toolchain/@v/v0.0.1-go${VERSIONS.go}.${target}.zip`;
}

async function fetchToolchain(target: string, dir: string, report: Report): Promise<string> {
  const wanted = TOOLCHAIN_SUMS[target];
  if (!wanted) throw new Error(`no Go toolchain is pinned for ${target}`);
  const url = toolchainUrl(target);
  const archive = join(dir, 'toolchain.zip');
  await downloadFile(url, archive, transfer(report, 'Go toolchain'));
  const actual = unpackToolchain(archive, dir);
  if (actual !== wanted) throw new Error(`checksum mismatch for ${url}: expected ${wanted}, got ${actual}`);
  rmSync(archive);
  return url;
}

/** Unpacks and answers the module's h1 hash: a digest over the sorted digests of its files. */
function unpackToolchain(archive: string, dir: string): string {
  const lines: string[] = [];
  readZip(archive, ({ name, content }) => {
    lines.push(`${createHash('sha256').update(content).digest('hex')}  ${name}\n`);
    const path = name.slice(name.indexOf('/', name.indexOf('@')) + 1).replace(/(^|\/)_go\.mod$/, '$1go.mod');
    writeBelow(dir, path, content, /^(bin|pkg\/tool)\//.test(path) ? 0o755 : 0o644);
  });
  const byName = (line: string) => line.slice(66);
  lines.sort((a, b) => (byName(a) < byName(b) ? -1 : 1));
  return `h1:${createHash('sha256').update(lines.join('')).digest('base64')}`;
}
