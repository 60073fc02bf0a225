/**
 * Official releases, verified against the checksums published beside them. The base addresses can
 * be overridden for a mirror (`ADORABLE_RELEASES_TEMPORAL`, `…_KUBE`, `…_ETCD`).
 */
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { downloadText, downloadVerified } from './download.ts';
import { VERSIONS } from './recipe.ts';
import type { ReleasedEngineName } from './recipe.ts';
import type { Report } from './report.ts';

const run = promisify(execFile);

const BASES = {
  TEMPORAL: 'https://github.com/temporalio/cli/releases/download',
  KUBE: 'https://dl.k8s.io',
  ETCD: 'https://github.com/etcd-io/etcd/releases/download',
} as const;

export function releaseBase(name: keyof typeof BASES, env: NodeJS.ProcessEnv = process.env): string {
  return (env[`ADORABLE_RELEASES_${name}`] ?? BASES[name]).replace(/\/+$/, '');
}

export function releaseUrl(engine: ReleasedEngineName): string {
  return engine === 'temporal' ? temporalRelease().archive : `${kubeBase()}/kube-apiserver`;
}

export async function fetchRelease(engine: ReleasedEngineName, dir: string, report: Report): Promise<string> {
  await (engine === 'temporal' ? fetchTemporal(dir, report) : fetchKube(dir, report));
  return `release ${releaseUrl(engine)}`;
}

function goArch(): string {
  return process.arch === 'x64' ? 'amd64' : process.arch;
}

function temporalRelease(): { archive: string; name: string; sums: string } {
  const name = `temporal_cli_${VERSIONS.temporal}_${process.platform}_${goArch()}.tar.gz`;
  const base = `${releaseBase('TEMPORAL')}/v${VERSIONS.temporal}`;
  return { name, archive: `${base}/${name}`, sums: `${base}/checksums.txt` };
}

async function fetchTemporal(dir: string, report: Report): Promise<void> {
  const { archive, name, sums } = temporalRelease();
  const digest = digestFor(await downloadText(sums), name, sums);
  const file = join(dir, name);
  await downloadVerified(archive, { file, digest }, transfer(report, name));
  await run('tar', ['-xzf', file, '-C', dir, 'temporal']);
  rmSync(file);
  chmodSync(join(dir, 'temporal'), 0o755);
}

function kubeBase(): string {
  return `${releaseBase('KUBE')}/v${VERSIONS.kubernetes}/bin/${process.platform}/${goArch()}`;
}

async function fetchKube(dir: string, report: Report): Promise<void> {
  for (const part of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
    const url = `${kubeBase()}/${part}`;
    const digest = (await downloadText(`${url}.sha256`)).trim().split(/\s+/)[0] ?? '';
    await downloadVerified(url, { file: join(dir, part), digest }, transfer(report, part));
    chmodSync(join(dir, part), 0o755);
  }
  await fetchEtcd(dir, report);
  // The four official binaries answer like our single one: the first argument names the part.
  writeFileSync(join(dir, 'kube'), '#!/bin/sh\npart=$1; shift\nexec "${0%/*}/$part" "$@"\n', { mode: 0o755 });
}

async function fetchEtcd(dir: string, report: Report): Promise<void> {
  const stem = `etcd-v${VERSIONS.etcd}-${process.platform}-${goArch()}`;
  const base = `${releaseBase('ETCD')}/v${VERSIONS.etcd}`;
  const digest = digestFor(await downloadText(`${base}/SHA256SUMS`), `${stem}.tar.gz`, `${base}/SHA256SUMS`);
  const file = join(dir, `${stem}.tar.gz`);
  await downloadVerified(`${base}/${stem}.tar.gz`, { file, digest }, transfer(report, stem));
  await run('tar', ['-xzf', file, '-C', dir, `${stem}/etcd`]);
  renameSync(join(dir, stem, 'etcd'), join(dir, 'etcd'));
  rmSync(join(dir, stem), { recursive: true });
  rmSync(file);
  chmodSync(join(dir, 'etcd'), 0o755);
}

/** The digest of one file in a `sha256sum` listing. */
function digestFor(listing: string, name: string, source: string): string {
  for (const line of listing.split('\n')) {
    const [digest, file] = line.trim().split(/\s+\*?/);
    if (file === name && digest) return digest;
  }
  throw new Error(`${source} lists no checksum for ${name}`);
}

export function transfer(report: Report, name: string): (bytes: number, total: number) => void {
  let last = 0;
  return (bytes, total) => {
    if (Date.now() - last < 1_000) return;
    last = Date.now();
    const of = total > 0 ? ` of ${Math.round(total / 1e6)}` : '';
    report({ state: 'progress', detail: `${name}: ${Math.round(bytes / 1e6)}${of} MB` });
  };
}
