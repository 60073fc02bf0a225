/**
 * Where engines come from and in which order, against a release server of our own: nothing that is
 * half there, or that does not have its published digest, is ever used.
 */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { obtain } from '../../../local/engines/obtain.ts';
import type { EngineEvent } from '../../../local/engines/obtain.ts';
import { goVersion } from '../../../local/engines/go-toolchain.ts';
import { slotPath, VERSIONS } from '../../../local/engines/recipe.ts';

const os = process.platform;
const arch = process.arch === 'x64' ? 'amd64' : process.arch;
const environment = { ...process.env };

let scratch: string;
let server: Server;
let base: string;
let requests: string[];
let served: Map<string, Buffer>;

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'adorable-engines-'));
  requests = [];
  served = new Map();
  server = createServer((request, response) => {
    requests.push(request.url ?? '');
    const body = served.get(request.url ?? '');
    response.writeHead(body ? 200 : 404).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env['ADORABLE_CACHE'] = join(scratch, 'cache');
  for (const name of ['TEMPORAL', 'KUBE', 'ETCD']) process.env[`ADORABLE_RELEASES_${name}`] = base;
  // No Go on PATH, and a module proxy that has nothing: the last source fails at once.
  process.env['GOPROXY'] = base;
  process.env['PATH'] = toolsOnly();
});

afterEach(async () => {
  process.env = { ...environment };
  await new Promise((resolve) => server.close(resolve));
  rmSync(scratch, { recursive: true, force: true });
});

function toolsOnly(): string {
  const bin = join(scratch, 'bin');
  mkdirSync(bin);
  for (const tool of ['tar', 'gzip', 'sh']) {
    const real = ['/usr/bin', '/bin'].map((dir) => join(dir, tool)).find((path) => existsSync(path));
    if (real) symlinkSync(real, join(bin, tool));
  }
  return bin;
}

function script(version: string): string {
  return `#!/bin/sh\necho "temporal version ${version} (Server 1.31.2, UI 2.50.1)"\n`;
}

function archive(files: Record<string, string>): Buffer {
  const dir = mkdtempSync(join(scratch, 'archive-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), content, { mode: 0o755 });
  }
  return execFileSync('tar', ['-czf', '-', '-C', dir, ...Object.keys(files)]);
}

const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

function serveTemporal(options: { digest?: string } = {}): void {
  const name = `temporal_cli_${VERSIONS.temporal}_${os}_${arch}.tar.gz`;
  const content = archive({ temporal: script(VERSIONS.temporal) });
  served.set(`/v${VERSIONS.temporal}/${name}`, content);
  served.set(`/v${VERSIONS.temporal}/checksums.txt`, Buffer.from(`${options.digest ?? sha256(content)}  ${name}\n`));
}

describe('order of sources', () => {
  test('a release is verified, unpacked, and used from the cache ever after', async () => {
    serveTemporal();
    const path = await obtain('temporal');
    expect(path).toBe(join(slotPath('temporal'), 'temporal'));
    expect(execFileSync(path, ['--version']).toString()).toContain(VERSIONS.temporal);
    const asked = requests.length;
    expect(await obtain('temporal')).toBe(path);
    expect(requests.length).toBe(asked);
  });

  test('PATH comes first when its version is the pinned one, and is passed over when it is another', async () => {
    serveTemporal();
    const other = join(scratch, 'path');
    mkdirSync(other);
    process.env['PATH'] = `${other}:${process.env['PATH'] ?? ''}`;
    writeFileSync(join(other, 'temporal'), script(VERSIONS.temporal), { mode: 0o755 });
    expect(await obtain('temporal')).toBe(join(other, 'temporal'));
    expect(requests).toEqual([]);
    writeFileSync(join(other, 'temporal'), script(`${VERSIONS.temporal}1`), { mode: 0o755 });
    expect(await obtain('temporal')).toBe(join(slotPath('temporal'), 'temporal'));
  });

  test('four official Kubernetes binaries answer as one `kube`', async () => {
    const root = `/v${VERSIONS.kubernetes}/bin/${os}/${arch}`;
    for (const part of ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
      const content = Buffer.from(`#!/bin/sh\necho ${part} "$@"\n`);
      served.set(`${root}/${part}`, content);
      served.set(`${root}/${part}.sha256`, Buffer.from(sha256(content)));
    }
    const stem = `etcd-v${VERSIONS.etcd}-${os}-${arch}`;
    const etcd = archive({ [`${stem}/etcd`]: '#!/bin/sh\necho etcd "$@"\n' });
    served.set(`/v${VERSIONS.etcd}/${stem}.tar.gz`, etcd);
    served.set(`/v${VERSIONS.etcd}/SHA256SUMS`, Buffer.from(`${sha256(etcd)}  ${stem}.tar.gz\n`));
    const kube = await obtain('kube');
    for (const part of ['etcd', 'kube-apiserver', 'kube-scheduler']) {
      expect(execFileSync(kube, [part, '--flag=a b']).toString()).toBe(`${part} --flag=a b\n`);
    }
  });
});

describe('the helper that contains processes', () => {
  test('without a Go it is not to be had, and the error says where to put it', async () => {
    await expect(obtain('contain')).rejects.toMatchObject({ type: 'EngineUnavailable', details: { engine: 'contain', slot: join(slotPath('contain'), 'contain') } });
    expect(existsSync(slotPath('contain'))).toBe(false);
  });

  test('a Go builds it from this checkout alone: nothing is asked of a network', async () => {
    process.env['PATH'] = environment['PATH'] ?? '';
    const found = await goVersion();
    if (os !== 'linux' || found === undefined) {
      process.stderr.write('building the helper: NOT proven here, there is no Go on PATH\n');
      return;
    }
    const helper = await obtain('contain');
    expect(execFileSync(helper, ['--abi']).toString()).toMatch(/^\d+\n$/);
    expect(requests).toEqual([]);
  }, 180_000);
});

describe('what is refused', () => {
  test('a release whose digest differs is not used; the error names the address, the cause and the way without a network', async () => {
    serveTemporal({ digest: '0'.repeat(64) });
    const events: EngineEvent[] = [];
    const failure = obtain('temporal', (event) => events.push(event));
    await expect(failure).rejects.toMatchObject({ type: 'EngineUnavailable' });
    const { message } = (await failure.catch((error: unknown) => error)) as Error;
    expect(message).toContain(`checksum mismatch for ${base}/v${VERSIONS.temporal}/`);
    expect(message).toContain(`${base}/golang.org/toolchain/@v/`);
    expect(message).toContain(join(slotPath('temporal'), 'temporal'));
    expect(message).not.toContain('\n');
    expect(events.filter((event) => event.state === 'skipped')).toHaveLength(1);
    expect(existsSync(slotPath('temporal'))).toBe(false);
    expect(readdirSync(join(scratch, 'cache', 'engines'))).toEqual([]);
  });

  test('a release without a listed digest, or none at all, is skipped in one line', async () => {
    serveTemporal();
    served.set(`/v${VERSIONS.temporal}/checksums.txt`, Buffer.from('abc  another.tar.gz\n'));
    await expect(obtain('temporal')).rejects.toThrow(/lists no checksum/);
    served.clear();
    await expect(obtain('kube')).rejects.toThrow(/answered 404/);
  });

  test('a closed network costs seconds, not minutes', async () => {
    // A listener that never answers stands for a firewall that drops packets.
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    process.env['ADORABLE_RELEASES_TEMPORAL'] = address;
    await expect(obtain('temporal')).rejects.toThrow(/did not answer within 3 s/);
    silent.closeAllConnections();
    silent.close();
  }, 20_000);

  test('a toolchain with another module hash is not used', async () => {
    const zip = zipOf(`golang.org/toolchain@v0.0.1-go${VERSIONS.go}.${os}-${arch}/bin/go`, 'not go');
    served.set(`/golang.org/toolchain/@v/v0.0.1-go${VERSIONS.go}.${os}-${arch}.zip`, zip);
    await expect(obtain('temporal')).rejects.toThrow(/checksum mismatch for .*golang\.org\/toolchain.* got h1:/);
  });
});

/** A zip file of one stored entry, without the checksums that the module hash makes needless. */
function zipOf(name: string, content: string): Buffer {
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const directory = Buffer.alloc(46);
  directory.writeUInt32LE(0x02014b50, 0);
  directory.writeUInt32LE(content.length, 20);
  directory.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(46 + name.length, 12);
  end.writeUInt32LE(30 + name.length + content.length, 16);
  return Buffer.concat([local, Buffer.from(name + content), directory, Buffer.from(name), end]);
}
