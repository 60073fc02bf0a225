/**
 * One pod: its address, scratch, containers, status and end. Its own process group, uid and
 * address keep it apart from others (I8, I10); status writes and the final delete carry the pod's
 * UID, so that a pod made again under the same name is never touched (I6).
 */
import { chownSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubeCode, type KubeClient } from '../kube-client.ts';
import { errorFields, log } from '../log.ts';
import { ContainerRuntime, now, type ContainerHost, type Prepared } from './container-runtime.ts';
import type { Container, Pod, PodCondition } from './kube-types.ts';
import type { Listener } from './listeners.ts';
import type { PodAddresses } from './pod-addresses.ts';
import { trimLog, type PodLogs } from './pod-logs.ts';
import type { PodProcess } from './pod-process.ts';
import type { PodRecords } from './pod-records.ts';
import { podStatus } from './pod-status.ts';

export interface PodContext {
  readonly kube: KubeClient;
  readonly addresses: PodAddresses;
  readonly records: PodRecords;
  readonly logs: PodLogs;
  /** Directory of all scratch directories. */
  readonly scratch: string;
  mirror(podIP: string): string;
  prepare(pod: Pod, container: Container, at: PodPlace, progress: (message: string) => void): Promise<Prepared>;
  event(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void;
  /** Readiness of some pod changed: the service proxy picks endpoints from it. */
  changed(): void;
  finished(uid: string): void;
}

export interface PodPlace { readonly podIP: string; readonly address: string; readonly scratch: string }

const DEFAULT_GRACE_SECONDS = 30;

export class PodWorker {
  readonly uid: string;
  readonly address: string;
  readonly #context: PodContext;
  readonly #podIP: string;
  readonly #scratch: string;
  readonly #logFile: string;
  readonly #startTime: string;
  readonly #processes = new Map<string, PodProcess>();
  readonly #reported = Promise.withResolvers<void>();
  readonly #init: ContainerRuntime[];
  readonly #containers: ContainerRuntime[];
  #pod: Pod;
  #conditions: readonly PodCondition[];
  #stopping = false;
  #ended = false;
  #finishing = false;
  #orphaned = false;
  #stopAt = Infinity;
  #sent = '';
  #writing: Promise<void> | undefined;
  #dirty = false;

  constructor(pod: Pod, context: PodContext) {
    this.uid = pod.metadata.uid;
    this.#pod = pod;
    this.#context = context;
    this.#podIP = context.addresses.take(this.uid);
    this.address = context.mirror(this.#podIP);
    this.#scratch = scratchOf(context.scratch, this.uid);
    this.#startTime = pod.status?.startTime ?? now();
    this.#conditions = pod.status?.conditions ?? [];
    this.#logFile = context.logs.open(pod.metadata.namespace ?? '', pod.metadata.name);
    const host: ContainerHost = {
      address: this.address,
      scratch: this.#scratch,
      logFile: this.#logFile,
      restartPolicy: pod.spec.restartPolicy ?? 'Always',
      prepare: async (container, progress) => {
        const at = { podIP: this.#podIP, address: this.address, scratch: this.#scratch };
        const prepared = await context.prepare(this.#pod, container, at, progress);
        this.#makeScratch(prepared.uid);
        return prepared;
      },
      record: (name, process) => this.#record(name, process),
      changed: () => this.#changed(),
      event: (type, reason, message) => context.event(this.#pod, type, reason, message),
    };
    const runtime = (init: boolean, policy: ContainerHost['restartPolicy']) => (container: Container) => {
      const statuses = init ? pod.status?.initContainerStatuses : pod.status?.containerStatuses;
      return new ContainerRuntime(container, { ...host, restartPolicy: policy }, statuses?.find((status) => status.name === container.name));
    };
    this.#init = (pod.spec.initContainers ?? []).map(runtime(true, host.restartPolicy === 'Never' ? 'Never' : 'OnFailure'));
    this.#containers = pod.spec.containers.map(runtime(false, host.restartPolicy));
  }

  get pod(): Pod { return this.#pod; }
  /** The API no longer says what an earlier node wrote. */
  get reported(): Promise<void> { return this.#reported.promise; }
  get isReady(): boolean { return !this.#stopping && this.#containers.every((container) => container.isReady); }

  /** Runs the pod to its end and takes it out of the API when it was to be deleted. */
  async run(): Promise<void> {
    this.#makeScratch(undefined);
    this.#changed();
    let mayStart = true;
    for (const container of this.#init) {
      await container.run();
      mayStart &&= container.exitCode === 0;
      if (!mayStart) break;
    }
    if (mayStart || this.#stopping) await Promise.all(this.#containers.map((container) => container.run()));
    this.#changed();
    await this.#flushed();
    this.#ended = true;
    // A finished pod stays until someone deletes it.
    if (this.#stopping) await this.#finish();
  }

  update(pod: Pod): void {
    this.#pod = pod;
    if (!pod.metadata.deletionTimestamp) return;
    this.stop((pod.metadata.deletionGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS) * 1_000);
  }

  /** Someone removed the pod by force: its processes go at once, the API is left alone. */
  orphan(): void {
    this.#orphaned = true;
    this.stop(2_000);
  }

  stop(graceMs: number): void {
    const stopAt = Date.now() + graceMs;
    // A repeated delete may shorten the grace, never lengthen it.
    if (this.#stopping && stopAt >= this.#stopAt) return;
    this.#stopAt = stopAt;
    this.#stopping = true;
    this.#context.changed();
    for (const container of [...this.#init, ...this.#containers]) container.stop(graceMs);
    if (this.#ended) void this.#finish();
  }

  /** For the node's own end: processes stop, the API keeps the pod so that the next node starts it. */
  async stopProcesses(graceMs: number): Promise<void> {
    this.#orphaned = true;
    const running = [...this.#processes.values()];
    for (const container of [...this.#init, ...this.#containers]) container.stop(graceMs);
    await Promise.all(running.map((process) => process.exited));
  }

  trimLog(): void {
    trimLog(this.#logFile);
  }

  checkListeners(listeners: readonly Listener[]): void {
    for (const container of this.#containers) container.checkListeners(listeners);
  }

  async #finish(): Promise<void> {
    if (this.#finishing) return;
    this.#finishing = true;
    const { addresses, finished, logs, records, scratch } = this.#context;
    await this.#flushed();
    if (!this.#orphaned) await deletePod(this.#context.kube, this.#pod);
    records.remove(this.uid);
    rmSync(scratchOf(scratch, this.uid), { recursive: true, force: true });
    addresses.release(this.uid);
    logs.close(this.#logFile);
    finished(this.uid);
  }

  #makeScratch(uid: number | undefined): void {
    if (!existsSync(this.#scratch)) mkdirSync(this.#scratch, { recursive: true, mode: 0o700 });
    if (uid !== undefined) chownSync(this.#scratch, uid, uid);
  }

  #record(name: string, process: PodProcess | undefined): void {
    if (process) this.#processes.set(name, process);
    else this.#processes.delete(name);
    this.#context.records.write({
      uid: this.uid, namespace: this.#pod.metadata.namespace ?? '', name: this.#pod.metadata.name, containerIP: this.address,
      processes: Object.fromEntries([...this.#processes].map(([key, { pid, startTime }]) => [key, { pid, startTime, pgid: pid }])),
    });
  }

  #changed(): void {
    this.#context.changed();
    this.#dirty = true;
    this.#writing ??= this.#write().finally(() => { this.#writing = undefined; });
  }

  async #flushed(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    let backoff = 100;
    // Changes of one moment become one write.
    await sleep(5);
    while (this.#dirty && !this.#orphaned) {
      this.#dirty = false;
      const status = podStatus({
        pod: this.#pod, previous: this.#conditions, podIP: this.#podIP, startTime: this.#startTime, now: now(), stopping: this.#stopping,
        init: this.#init.map((container) => container.status()), containers: this.#containers.map((container) => container.status()),
      });
      this.#conditions = status.conditions ?? [];
      const body = JSON.stringify(status);
      if (body === this.#sent) continue;
      try {
        await patchStatus(this.#context.kube, this.#pod, status);
        this.#sent = body;
        this.#reported.resolve();
        backoff = 100;
      } catch (error) {
        // Gone, or another pod has its name: there is nothing to report to any more.
        if ([404, 409].includes(kubeCode(error) ?? 0)) {
          this.#reported.resolve();
          return;
        }
        log('warn', 'pod status not written, trying again', { pod: this.#pod.metadata.name, ...errorFields(error) });
        this.#dirty = true;
        await sleep(backoff);
        backoff = Math.min(backoff * 2, 2_000);
      }
    }
  }
}

/** Short, because sockets in it may have 107 bytes. */
export function scratchOf(root: string, uid: string): string {
  return join(root, uid.replaceAll('-', '').slice(0, 12));
}

function podPath(pod: Pod): string {
  return `/api/v1/namespaces/${pod.metadata.namespace ?? ''}/pods/${pod.metadata.name}`;
}

async function patchStatus(kube: KubeClient, pod: Pod, status: object): Promise<void> {
  await kube.request({
    method: 'PATCH', path: `${podPath(pod)}/status`, patch: 'application/merge-patch+json',
    body: { metadata: { uid: pod.metadata.uid }, status },
  });
}

/** Until the API answers: a pod that stays would keep its namespace terminating for ever. */
export async function deletePod(kube: KubeClient, pod: Pod): Promise<void> {
  for (let backoff = 100; ; backoff = Math.min(backoff * 2, 2_000)) {
    try {
      await kube.request({
        method: 'DELETE', path: podPath(pod),
        body: { kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds: 0, preconditions: { uid: pod.metadata.uid } },
      });
      return;
    } catch (error) {
      if ([404, 409].includes(kubeCode(error) ?? 0)) return;
      log('warn', 'pod not deleted, trying again', { pod: pod.metadata.name, ...errorFields(error) });
      await sleep(backoff);
    }
  }
}
