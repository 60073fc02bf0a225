/**
 * Whether a part answers now. The supervisor waits on these checks and `status` repeats them in its
 * own process, so that what it prints is never a memory of an earlier answer.
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { get as httpGet } from 'node:http';
import type { RequestOptions } from 'node:http';
import { get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { callKube } from '../kube/api.ts';
import { etcdSocket } from '../kube/flags.ts';
import { kubeFiles, NODE_NAME } from '../kube/identities.ts';
import { layout } from '../paths.ts';
import type { Platform } from '../platform.ts';
import { answersSql } from '../postgres/cluster.ts';
import type { PartName } from './part-names.ts';
import { readRunRecord } from './run-records.ts';

const ANSWER_TIMEOUT_MS = 2_000;

/** Rejects with the reason when the part does not answer. */
export async function checkReady(part: PartName, platform: Platform): Promise<void> {
  const { ports } = platform;
  const paths = layout(platform.dataDir);
  switch (part) {
    case 'postgres':
      await answersSql(platform);
      return;
    case 'temporal':
      await expectOk({ port: ports.temporalHttp, path: '/api/v1/namespaces/default' });
      await expectOk({ port: ports.temporalUi, path: '/healthz' });
      return;
    case 'etcd':
      await expectOk({ socketPath: etcdSocket(paths), path: '/health' });
      return;
    case 'kube-apiserver':
      await expectKube(platform, '/readyz');
      return;
    case 'kube-controller-manager':
      await expectOkTls(ports.controllerManager, join(kubeFiles(paths).pki, 'kcm', 'kube-controller-manager.crt'));
      return;
    case 'kube-scheduler':
      await expectOkTls(ports.scheduler, join(kubeFiles(paths).pki, 'scheduler', 'kube-scheduler.crt'));
      return;
    case 'timeline':
      await expectOk({ port: ports.timeline, path: '/healthz' });
      return;
    case 'gateway':
      await expectOk({ port: ports.gateway, path: '/healthz' });
      return;
    case 'node':
      expectReadyMark(part, platform);
      await expectNodeReady(platform);
      return;
    case 'worker':
      expectReadyMark(part, platform);
  }
}

/** Parts without a port say so: a file `run/<part>.ready` or a log line since this start. */
function expectReadyMark(part: PartName, platform: Platform): void {
  const paths = layout(platform.dataDir);
  if (existsSync(join(paths.run, `${part}.ready`))) return;
  const offset = readRunRecord(paths, part)?.logOffset ?? 0;
  const said = readFrom(join(paths.logs, `${part}.log`), offset);
  if (!/"ready":true|"message":"ready"/.test(said)) throw new Error('it has not said that it is ready');
}

function readFrom(file: string, offset: number): string {
  const fd = openSync(file, 'r');
  try {
    const length = Math.min(Math.max(0, fstatSync(fd).size - offset), 256 * 1024);
    const buffer = Buffer.alloc(length);
    readSync(fd, buffer, 0, length, offset);
    return buffer.toString('utf8');
  } finally {
    closeSync(fd);
  }
}

async function expectKube(platform: Platform, path: string): Promise<string> {
  const answer = await callKube(platform, { path });
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}`);
  return answer.body;
}

async function expectNodeReady(platform: Platform): Promise<void> {
  const node = JSON.parse(await expectKube(platform, `/api/v1/nodes/${NODE_NAME}`)) as {
    status?: { conditions?: { type: string; status: string; reason?: string }[] };
  };
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (ready?.status !== 'True') throw new Error(`its Node is not Ready (${ready?.reason ?? 'no condition yet'})`);
}

function expectOk(target: RequestOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const call = httpGet({ host: '127.0.0.1', timeout: ANSWER_TIMEOUT_MS, agent: false, ...target }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`${target.path ?? ''} answered ${response.statusCode ?? 0}`));
    });
    call.once('timeout', () => call.destroy(new Error('no answer in time')));
    call.once('error', reject);
  });
}

function expectOkTls(port: number, certificate: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path: '/healthz', ca: readFileSync(certificate), timeout: ANSWER_TIMEOUT_MS, agent: false as const };
    const call = httpsGet(options, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`/healthz answered ${response.statusCode ?? 0}`));
    });
    call.once('timeout', () => call.destroy(new Error('no answer in time')));
    call.once('error', reject);
  });
}
