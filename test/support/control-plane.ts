/** A real etcd, API server, controller manager and scheduler in a data directory of their own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { obtain } from '../../local/engines/obtain.ts';
import { connectKube, type KubeClient } from '../../local/kube-client.ts';
import { kubeconfigPath, type Platform } from '../../local/platform.ts';
import { prepareDataDirectory } from '../../local/supervisor/data-directory.ts';
import { partSpecs } from '../../local/supervisor/part-specs.ts';

export interface ControlPlane {
  readonly platform: Platform;
  readonly admin: KubeClient;
  /** Starts a part of ours (`node`, `gateway`) and answers when it says that it is ready. */
  startPart(name: string): Promise<ChildProcess>;
  stop(): Promise<void>;
}

/** Where it cannot be built, pods run as they do for people there: uncontained. */
async function containIfPossible(): Promise<{ contain?: string }> {
  return await obtain('contain').then((contain) => ({ contain }), () => ({}));
}

export async function startControlPlane(): Promise<ControlPlane> {
  const data = mkdtempSync(join(tmpdir(), 'adk-'));
  chmodSync(data, 0o711);
  const engines = {
    node: await obtain('node'), kube: process.env['ADORABLE_TEST_KUBE'] ?? await obtain('kube'), postgres: await obtain('postgres'), temporal: '',
    ...await containIfPossible(),
  };
  const platform = await prepareDataDirectory({ data, engines, ports: {} });
  const specs = partSpecs(platform);
  const children: ChildProcess[] = [];

  async function start(name: string, until: (output: string) => boolean | Promise<boolean>): Promise<ChildProcess> {
    const spec = specs.find((candidate) => candidate.name === name);
    if (!spec) throw new Error(`no part ${name}`);
    await spec.prepare?.();
    const log = openSync(join(data, 'logs', `${name}.log`), 'a');
    const child = spawn(spec.command, [...spec.args], { stdio: ['ignore', 'pipe', log] });
    children.push(child);
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => { output += chunk.toString(); });
    for (const deadline = Date.now() + 60_000; !(await until(output)); await sleep(50)) {
      if (Date.now() > deadline || child.exitCode !== null) throw new Error(`${name} did not become ready: ${output.slice(-2_000)}`);
    }
    return child;
  }

  /** A client keeps the authority that it began with: one that read a half-written certificate never connects. */
  async function answers(): Promise<boolean> {
    if (!existsSync(join(data, 'kube', 'pki', 'apiserver.crt'))) return false;
    const client = connectKube(kubeconfigPath(data, 'admin'));
    try {
      return await client.request({ method: 'GET', path: '/api/v1/namespaces/default' }).then(() => true, () => false);
    } finally {
      await client.close();
    }
  }

  async function stopAll(): Promise<void> {
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGTERM');
      await Promise.race([once(child, 'exit'), sleep(6_000, undefined, { ref: false })]);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    }
    rmSync(data, { recursive: true, force: true });
  }

  try {
    await start('etcd', () => true);
    await start('kube-apiserver', answers);
    await specs.find((spec) => spec.name === 'kube-apiserver')?.arrange?.();
    await start('kube-controller-manager', () => true);
    await start('kube-scheduler', () => true);
  } catch (error) {
    await stopAll();
    throw error;
  }
  const admin = connectKube(kubeconfigPath(data, 'admin'));
  return {
    platform,
    admin,
    startPart: async (name) => await start(name, (output) => output.includes('"ready":true')),
    stop: async () => {
      await admin.close();
      await stopAll();
    },
  };
}
